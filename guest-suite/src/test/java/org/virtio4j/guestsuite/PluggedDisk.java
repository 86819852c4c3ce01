// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.endpoint.VirtioBlock;
import org.virtio4j.endpoint.VirtioEntropy;
import org.virtio4j.harness.DiskPlugger;
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
 * A disk that is there all the time, and one that is plugged behind a root port and unplugged while the guest runs;
 * both behind the IOMMU.
 */
final class PluggedDisk implements GuestDevices {

    static final String FUNCTION = "0000:01:00.0";

    private static final int ALWAYS_THERE = 3;
    private static final int GUEST_PAGE = 4096;

    /** What this process has while the disk is away. */
    record Remains(long descriptors, int threads, int domains) {
    }

    private final ServedMachine machine;
    private final DiskPlugger plugger;
    private final int rounds;

    private final List<Remains> remains = new ArrayList<>();
    private int plugs;
    private Optional<String> failure = Optional.empty();
    private long mappingsLeft = -1;
    private int domainsLeft = -1;

    PluggedDisk(RunFolder folder, GuestOptions options, int rounds) throws IOException {
        this.rounds = rounds;
        plugger = new DiskPlugger(folder);
        Path plugged = folder.sparseFile("plugged-file", DiskFile.BYTES);
        ReservedRegions reserved = options.platform().interrupts().reserved();
        List<DevicePlan> devices = List.of(
                new DevicePlan("rng", PciAddress.of("00:09.0"), true, reserved, VirtioEntropy::new),
                new DevicePlan("disk", PciAddress.of("00:0a.0"), true, reserved,
                        VirtioBlock.builder(folder.path(RunFolder.DISK)).queues(options.processors())::build),
                DiskPlugger.plan(reserved, VirtioBlock.builder(plugged)::build));
        machine = ServedMachine.serve(new MachinePlan("plugging", folder.path(""),
                MemoryPlan.of(options.memoryMebibytes()), IommuPlan.at(PciAddress.of("00:08.0")), devices));
    }

    @Override
    public String kernelOptions() {
        return " rounds=" + rounds;
    }

    @Override
    public void addTo(QemuCommand command, RunFolder folder) {
        QemuArguments arguments = new QemuArguments();
        machine.addTo(arguments);
        plugger.addTo(command.arguments(arguments));
    }

    @Override
    public void plug() throws IOException {
        plugger.plug();
        plugs++;
    }

    /** Counts also what the disk has left behind. */
    @Override
    public void unplug() throws IOException {
        plugger.unplug();
        while (machine.connected() > ALWAYS_THERE) {
            Thread.onSpinWait(); // QEMU has closed the connection; the socket's thread learns of it
        }
        requireNoMemory();
        try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
            remains.add(new Remains(open.count(), Thread.getAllStackTraces().size(),
                    machine.iommu().liveDomains()));
        }
    }

    /** No page of the guest can be reached through the function: there is none in its memory, whatever is mapped. */
    private void requireNoMemory() {
        try (Arena arena = Arena.ofConfined();
                DmaHandle handle = machine.dma(DiskPlugger.FUNCTION).open("after the unplug")) {
            handle.enter();
            DmaResult result = handle.write(GUEST_PAGE, arena.allocate(1), 0, 1);
            handle.leave();
            if (result == DmaResult.OK) {
                throw new IllegalStateException("a byte of the unplugged disk has landed");
            }
        }
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
        mappingsLeft = machine.iommu().liveMappings();
        domainsLeft = machine.iommu().liveDomains();
        return machine.report();
    }

    @Override
    public void close() throws IOException {
        plugger.close();
        machine.close();
    }

    /** All rounds took place, and the later ones left no more behind than the earlier ones. */
    void assertNothingLeft() {
        assertEquals(Optional.empty(), failure);
        assertEquals(rounds, plugs);
        assertEquals(rounds, remains.size());
        assertEquals(least(remains.subList(0, rounds / 2)), least(remains.subList(rounds / 2, rounds)),
                remains::toString);
        assertEquals(0, mappingsLeft, "mappings");
        assertEquals(0, domainsLeft, "domains");
    }

    /** What all have in common. A connection that has ended is closed a moment later, and may be counted once. */
    private static Remains least(List<Remains> some) {
        return new Remains(some.stream().mapToLong(Remains::descriptors).min().orElseThrow(),
                some.stream().mapToInt(Remains::threads).min().orElseThrow(),
                some.stream().mapToInt(Remains::domains).min().orElseThrow());
    }

    /** Makes devices when a guest is run, and keeps them for the test. */
    static final class Maker implements GuestDevices.Server {

        private final int rounds;
        private @Nullable PluggedDisk made;

        Maker(int rounds) {
            this.rounds = rounds;
        }

        @Override
        public GuestDevices serve(RunFolder folder, GuestOptions options, Qemu qemu) throws IOException {
            PluggedDisk devices = new PluggedDisk(folder, options, rounds);
            made = devices;
            return devices;
        }

        PluggedDisk devices() {
            return Objects.requireNonNull(made, "no guest was booted");
        }
    }
}
