// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.virtio4j.harness.console.QemuProcess;
import org.virtio4j.harness.fetch.Packages;
import org.virtio4j.harness.options.GuestOptions;
import org.virtio4j.harness.options.NotFetchedException;
import org.virtio4j.harness.options.Platform;
import org.virtio4j.harness.options.UnusableGuestException;
import org.virtio4j.harness.options.Workload;
import org.virtio4j.harness.qemu.Qemu;
import org.virtio4j.harness.qemu.QemuCommand;
import org.virtio4j.harness.qemu.RunFolder;

/** A machine whose firmware does the work: it drives the devices, and boots what it finds on a disk. */
public final class FirmwareGuest {

    private final Firmware firmware;
    private final GuestOptions options;
    private final Packages packages;
    private final GuestObserver observer;
    private final UnaryOperator<String> typist;

    /**
     * Prepares a guest.
     *
     * @param firmware what the machine begins with
     * @param memoryMebibytes its RAM
     * @param home the project's folder, where the script is that fetches what is missing
     * @param observer hears how it gets on
     * @param typist is given each line of the machine's serial port, and returns what is to be typed then
     */
    public FirmwareGuest(Firmware firmware, int memoryMebibytes, Path home, GuestObserver observer,
            UnaryOperator<String> typist) {
        this.firmware = firmware;
        this.options = GuestOptions.of(Workload.BOOT).withProcessors(1).withMemory(memoryMebibytes)
                .withPlatform(Platform.of(firmware.architecture()));
        this.packages = new Packages(home, observer::interrupted);
        this.observer = observer;
        this.typist = typist;
    }

    /**
     * Runs it until it resets the machine or switches it off. The calling thread is busy until QEMU has ended.
     *
     * @param server makes its devices
     * @return why it was not the guest that ended it, in words for the user
     * @throws NotFetchedException if QEMU or the firmware is not there and cannot be fetched
     * @throws UnusableGuestException if QEMU is none
     * @throws IOException if this machine's disk is full, or refuses otherwise to do its part
     */
    public Optional<String> run(GuestDevices.Server server)
            throws NotFetchedException, UnusableGuestException, IOException {
        Qemu qemu = Qemu.find(options, packages);
        Path image = firmware.image(packages);
        try (RunFolder folder = new RunFolder(); GuestDevices devices = server.serve(folder, options, qemu)) {
            QemuProcess run = new QemuProcess(QemuProcess.behindUs(command(qemu, image, devices, folder)),
                    QemuProcess.Limits.DEFAULT, () -> look(devices));
            QemuProcess.End end = run.talk(this::hear);
            devices.report().forEach(observer::notice);
            return end.trouble();
        }
    }

    private List<String> command(Qemu qemu, @Nullable Path image, GuestDevices devices, RunFolder folder)
            throws IOException {
        QemuCommand command = QemuCommand.of(qemu, options, folder).endOnReset().console();
        if (image != null) {
            command.firmware(image);
        }
        devices.addTo(command, folder);
        return command.words();
    }

    private String hear(String line) {
        observer.heard(line);
        return typist.apply(line);
    }

    private boolean look(GuestDevices devices) {
        devices.notices().forEach(observer::notice);
        return observer.interrupted();
    }
}
