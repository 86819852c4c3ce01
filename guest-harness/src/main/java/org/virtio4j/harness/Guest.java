// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.virtio4j.harness.console.ConsoleLine;
import org.virtio4j.harness.console.QemuProcess;
import org.virtio4j.harness.fetch.Kernel;
import org.virtio4j.harness.fetch.Packages;
import org.virtio4j.harness.image.Initramfs;
import org.virtio4j.harness.options.GuestOptions;
import org.virtio4j.harness.options.NotFetchedException;
import org.virtio4j.harness.options.UnusableGuestException;
import org.virtio4j.harness.options.Workload;
import org.virtio4j.harness.qemu.Qemu;
import org.virtio4j.harness.qemu.QemuCommand;
import org.virtio4j.harness.qemu.RunFolder;
import org.virtio4j.machine.PciAddress;
import org.virtio4j.replay.record.Recorder;

/** One guest: collects what it needs, runs it, and returns the result. */
public final class Guest {

    static final PciAddress IOMMU = PciAddress.of("00:08.0");
    static final PciAddress RNG = PciAddress.of("00:09.0");
    static final PciAddress DISK = PciAddress.of("00:0a.0");
    static final PciAddress CONSOLE = PciAddress.of("00:0b.0");

    static final long DISK_BYTES = 128L << 20;

    private final GuestOptions options;
    private final Packages packages;
    private final GuestObserver observer;
    private final GuestDevices.Server server;

    private final GuestFacts facts = new GuestFacts();
    private long startNanos;
    private @Nullable Duration untilInit;

    /**
     * Prepares a guest with this project's devices or, if the options say so, QEMU's own.
     *
     * @param options what kind of guest
     * @param home the project's folder, where the script is that fetches what is missing
     * @param observer hears how it gets on
     */
    public Guest(GuestOptions options, Path home, GuestObserver observer) {
        this(options, home, observer,
                (folder, with, qemu) -> with.qemuDevices() ? new QemuDevices()
                        : ServedDevices.serve(folder, with, qemu, null));
    }

    /**
     * Prepares a guest with the caller's devices.
     *
     * @param options what kind of guest
     * @param home the project's folder, where the script is that fetches what is missing
     * @param observer hears how it gets on
     * @param server makes the devices
     */
    public Guest(GuestOptions options, Path home, GuestObserver observer, GuestDevices.Server server) {
        this.server = server;
        this.options = options;
        this.packages = new Packages(home, observer::interrupted);
        this.observer = observer;
    }

    /**
     * Prepares a guest with this project's devices, whose IOMMU is recorded.
     *
     * @param options what kind of guest
     * @param home the project's folder, where the script is that fetches what is missing
     * @param observer hears how it gets on
     * @param recorder finished by the caller after {@link #run}
     * @return the guest
     */
    public static Guest recorded(GuestOptions options, Path home, GuestObserver observer, Recorder recorder) {
        return new Guest(options, home, observer,
                (folder, with, qemu) -> ServedDevices.serve(folder, with, qemu, recorder));
    }

    /**
     * Runs the guest to its end. The calling thread is busy until QEMU has ended.
     *
     * @return what came of it
     * @throws NotFetchedException if QEMU or the guest's system is not there and cannot be fetched
     * @throws UnusableGuestException if QEMU or kernel is none
     * @throws IOException if this machine's disk is full, or refuses otherwise to do its part
     */
    public GuestResult run() throws NotFetchedException, UnusableGuestException, IOException {
        Qemu qemu = Qemu.find(options, packages);
        Path tools = packages.linux(options.platform());
        Path chosen = options.kernel();
        Kernel kernel = chosen == null ? Kernel.unpackedIn(tools, options.architecture())
                : Kernel.of(chosen, options.architecture());
        try (RunFolder folder = new RunFolder()) {
            folder.sparseFile(RunFolder.DISK, DISK_BYTES);
            Path initramfs = folder.file("initramfs.gz", initramfs(kernel, tools));
            try (GuestDevices devices = server.serve(folder, options, qemu)) {
                QemuCommand command = command(qemu, folder).boot(kernel.image(), initramfs,
                        options.kernelOptions() + devices.kernelOptions());
                devices.addTo(command, folder);
                return run(qemu, command, devices);
            } catch (UncheckedIOException refused) {
                throw new IOException(refused.getMessage(), refused);
            }
        }
    }

    /**
     * Fetches what is missing, which {@link #run} would do.
     *
     * @throws NotFetchedException as {@link #run}
     * @throws UnusableGuestException as {@link #run}
     */
    public void fetch() throws NotFetchedException, UnusableGuestException {
        Qemu ignored = Qemu.find(options, packages);
        packages.linux(options.platform());
        if (options.workload().startsKernel()) {
            packages.kexec();
        }
        if (options.workload() == Workload.BLKIO) {
            packages.blkio();
        }
    }

    private byte[] initramfs(Kernel kernel, Path tools) throws NotFetchedException, UnusableGuestException {
        if (options.workload() == Workload.BLKIO) {
            return Initramfs.drivingDisk(kernel, tools, packages.blkio());
        }
        if (!options.workload().startsKernel()) {
            return Initramfs.of(options.architecture(), kernel, tools, options.workload(),
                    options.hasConsole());
        }
        Path next = options.nextKernel();
        return Initramfs.starting(kernel, next == null ? kernel
                : Kernel.of(next, options.architecture()), tools, packages.kexec());
    }

    private QemuCommand command(Qemu qemu, RunFolder folder) {
        QemuCommand command = QemuCommand.of(qemu, options, folder);
        if (!options.workload().resetsMachine()) {
            command.endOnReset();
        }
        return isInQemusTerminal() ? command.terminal() : command.console();
    }

    private GuestResult run(Qemu qemu, QemuCommand command, GuestDevices devices) throws IOException {
        observer.step("starting QEMU " + qemu.version());
        startNanos = System.nanoTime();
        boolean shell = options.workload() == Workload.SHELL;
        QemuProcess run = new QemuProcess(QemuProcess.behindUs(command.words()),
                shell ? QemuProcess.Limits.NONE : QemuProcess.Limits.DEFAULT, () -> look(devices));
        boolean deaf = isInQemusTerminal();
        QemuProcess.End end = deaf ? run.runInTerminal() : run.run(text -> hear(text, devices));
        Duration total = sinceStart();
        Optional<String> trouble = deaf ? Optional.empty() : trouble(end);
        return new GuestResult(qemu.version(), facts, untilInit == null ? total : untilInit, total,
                devices.report(), trouble);
    }

    /** Whether the user works at the guest's serial port, which QEMU connects with the terminal. */
    private boolean isInQemusTerminal() {
        return options.workload() == Workload.SHELL && !options.console();
    }

    /** Returns whether the guest is to end: the user wants it, or Linux has crashed and would go on for minutes. */
    private boolean look(GuestDevices devices) {
        devices.notices().forEach(observer::notice);
        return observer.interrupted() || facts.hasCrashed();
    }

    private void hear(String text, GuestDevices devices) {
        observer.heard(text);
        ConsoleLine line = ConsoleLine.of(text);
        facts.add(line);
        if (line instanceof ConsoleLine.Step step) {
            untilInit = untilInit == null ? sinceStart() : untilInit;
            observer.step(step.text());
        }
        if (line instanceof ConsoleLine.Ready ready) {
            try {
                answer(ready.name(), devices);
            } catch (IOException refused) {
                throw new UncheckedIOException(refused);
            }
        }
    }

    private void answer(String ready, GuestDevices devices) throws IOException {
        switch (ready) {
            case "fault" -> {
                observer.step("an endpoint accesses what is not mapped");
                devices.strayDma();
            }
            case "plug" -> devices.plug();
            case "unplug" -> devices.unplug();
            default -> { }
        }
    }

    private Duration sinceStart() {
        return Duration.ofNanos(System.nanoTime() - startNanos);
    }

    private Optional<String> trouble(QemuProcess.End end) {
        if (facts.failure().isPresent()) {
            return facts.failure().map(failure -> "the guest says: " + failure);
        }
        if (facts.crash().isPresent() && !facts.done()) {
            return facts.crash().map(crash -> "the guest's Linux has crashed: " + crash);
        }
        return end != QemuProcess.End.SWITCHED_OFF || facts.done() ? end.trouble()
                : Optional.of("the guest has ended before its work was done");
    }
}
