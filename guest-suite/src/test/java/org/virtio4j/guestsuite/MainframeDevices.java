// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.virtio4j.endpoint.VirtioBlock;
import org.virtio4j.endpoint.VirtioEntropy;
import org.virtio4j.harness.GuestDevices;
import org.virtio4j.harness.options.GuestOptions;
import org.virtio4j.harness.qemu.Qemu;
import org.virtio4j.harness.qemu.QemuCommand;
import org.virtio4j.harness.qemu.RunFolder;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.machine.PciAddress;
import org.virtio4j.serving.QemuArguments;
import org.virtio4j.serving.ServedMachine;
import org.virtio4j.serving.plan.DevicePlan;
import org.virtio4j.serving.plan.IommuPlan;
import org.virtio4j.serving.plan.MachinePlan;
import org.virtio4j.serving.plan.MemoryPlan;

/**
 * Entropy source and disk of an s390x guest, behind an IOMMU of ours that the guest does not see: its bypass lets them
 * through. What they reach is decided by QEMU's own IOMMU before each function, whose mappings come as windows of
 * memory.
 */
final class MainframeDevices implements GuestDevices {

    private final ServedMachine machine;
    private final Path folder;
    private final Path disk;
    private final int mebibytes;
    private Optional<String> failure = Optional.empty();
    private String sum = "";

    private MainframeDevices(RunFolder run, GuestOptions options, int mebibytes) throws IOException {
        this.mebibytes = mebibytes;
        folder = run.path("");
        disk = run.path(RunFolder.DISK);
        List<DevicePlan> devices = List.of(
                new DevicePlan("rng", PciAddress.of("00:09.0"), true, ReservedRegions.X86_MSI, VirtioEntropy::new),
                new DevicePlan("disk", PciAddress.of("00:0a.0"), true, ReservedRegions.X86_MSI,
                        VirtioBlock.builder(disk).queues(options.processors())::build));
        machine = ServedMachine.serve(new MachinePlan("mainframe", folder,
                MemoryPlan.of(options.memoryMebibytes()), IommuPlan.at(PciAddress.of("00:08.0")), devices));
    }

    @Override
    public String kernelOptions() {
        return " mib=" + mebibytes;
    }

    @Override
    public void addTo(QemuCommand command, RunFolder run) {
        command.arguments(new QemuArguments().servedToS390x(1, folder.resolve("rng.sock"))
                .servedToS390x(2, folder.resolve("disk.sock")));
    }

    @Override
    public void strayDma() {
        throw new IllegalStateException("this test has no stray DMA");
    }

    @Override
    public List<String> report() {
        while (machine.connected() > 0) {
            Thread.onSpinWait();
        }
        failure = machine.failure();
        try {
            sum = DiskFile.md5(disk, 0, mebibytes);
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
        return machine.report();
    }

    @Override
    public void close() throws IOException {
        machine.close();
    }

    /** What the guest wrote and read is in the disk's file. */
    void assertWritten(Booted booted) {
        assertEquals(sum, booted.fact("verify/written"));
        assertEquals(sum, booted.fact("verify/direct"));
        assertEquals(sum, booted.fact("verify/cached"));
        assertEquals(Optional.empty(), failure);
    }

    /** Makes devices when a guest is run, and keeps them for the test. */
    static final class Maker implements GuestDevices.Server {

        private final int mebibytes;
        private @Nullable MainframeDevices made;

        /** For a guest that writes so many MiB, and reads them twice. */
        Maker(int mebibytes) {
            this.mebibytes = mebibytes;
        }

        @Override
        public GuestDevices serve(RunFolder folder, GuestOptions options, Qemu qemu) throws IOException {
            MainframeDevices devices = new MainframeDevices(folder, options, mebibytes);
            made = devices;
            return devices;
        }

        MainframeDevices devices() {
            return Objects.requireNonNull(made, "no guest was booted");
        }
    }
}
