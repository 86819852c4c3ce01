// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.endpoint.VirtioBlock;
import org.virtio4j.harness.GuestDevices;
import org.virtio4j.harness.options.GuestOptions;
import org.virtio4j.harness.qemu.Qemu;
import org.virtio4j.harness.qemu.QemuCommand;
import org.virtio4j.harness.qemu.RunFolder;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.iommu.VirtioIommuBuilder;
import org.virtio4j.serving.QemuArguments;
import org.virtio4j.serving.plan.IommuPlan;

/**
 * IOMMU, entropy source and disk of one guest, and what there is to say of them when it has ended. They are connected
 * as the command does it, unless a test wants a mistake.
 */
final class SuiteDevices implements GuestDevices {

    /** In the canary, far from its end, where Linux begins to allocate addresses. */
    static final long STRAY_WRITE = Canary.START + 0xea_d000;
    static final long STRAY_READ = Canary.START + 0xbe_e000;
    static final long IN_FLIGHT = Canary.START + 0xf1_1000;
    private static final int STRAY_BYTES = 16;

    private final Wiring wiring;
    private final Optional<Path> memoryFile;
    private final VirtioBlock disk;
    private final UnrulyEntropy entropy;
    private final Machinery machinery;
    private final VirtioIommu iommu;

    // What came of it.
    private DmaResult strayWrite = DmaResult.CLOSED;
    private DmaResult strayRead = DmaResult.CLOSED;
    private Optional<String> failure = Optional.empty();
    private Optional<Long> damage = Optional.empty();
    private long mappingsLeft;
    private int domainsLeft;

    private SuiteDevices(Wiring wiring, RunFolder folder, GuestOptions options) throws IOException {
        this.wiring = wiring;
        memoryFile = Optional.of(folder.path(RunFolder.MEMORY))
                .filter(file -> options.memoryByName() && wiring.named());
        if (wiring.canary()) {
            Canary.plant(memoryFile.orElseThrow(), (long) GuestBooter.MEBIBYTES << 20);
        }
        disk = VirtioBlock.builder(folder.path(RunFolder.DISK)).queues(options.processors())
                .queueSize(wiring.diskRing()).build();
        entropy = new UnrulyEntropy(IN_FLIGHT, wiring.mistake() != Mistake.NOT_AWAITED_NOR_BLOCKED);
        IommuPlan plan = IommuPlan.at(Machinery.IOMMU).withSettings(builder -> setUp(builder, wiring));
        machinery = wiring.mistake() == Mistake.NONE
                ? new ServedMachinery(folder.path(""), memoryFile, plan, entropy, disk)
                : new MiswiredMachinery(wiring.mistake(), folder.path(""), memoryFile, plan, entropy, disk);
        iommu = machinery.iommu();
        entropy.begin(machinery.dma(Machinery.ENTROPY));
    }

    private static void setUp(VirtioIommuBuilder builder, Wiring wiring) {
        builder.queueSizes(wiring.iommuRing(), wiring.iommuRing()).bypassAfterReset(wiring.bypassAfterReset());
        if (wiring.canary()) {
            builder.inputRange(Canary.START, Canary.END);
        }
    }

    @Override
    public String kernelOptions() {
        return (wiring.canary() ? Canary.kernelOption() : "")
                + (wiring.mistake() == Mistake.NOT_TRANSLATED ? "" : " faults=2");
    }

    @Override
    public void addTo(QemuCommand command, RunFolder folder) throws IOException {
        QemuArguments arguments = new QemuArguments();
        machinery.addTo(arguments);
        command.arguments(arguments);
    }

    /**
     * The disk's comes last, and is translated always, so that Linux hears of something in any case. The handles are
     * there no longer than that: an endpoint with an open one counts as at work, past every reset of its device.
     */
    @Override
    public void strayDma() {
        try (Arena arena = Arena.ofConfined();
                DmaHandle entropyStray = machinery.dma(Machinery.ENTROPY).open("stray");
                DmaHandle diskStray = machinery.dma(Machinery.DISK).open("stray")) {
            MemorySegment bytes = arena.allocate(STRAY_BYTES).fill((byte) 0x77);
            entropyStray.enter();
            strayWrite = entropyStray.write(STRAY_WRITE, bytes, 0, STRAY_BYTES);
            entropyStray.leave();
            diskStray.enter();
            strayRead = diskStray.read(STRAY_READ, bytes, 0, STRAY_BYTES);
            diskStray.leave();
        }
    }

    /** QEMU has ended: the sockets hear of it, and then all must be as before it came. */
    @Override
    public List<String> report() {
        while (machinery.connected() > 0) {
            Thread.onSpinWait();
        }
        failure = machinery.failure();
        mappingsLeft = iommu.liveMappings();
        domainsLeft = iommu.liveDomains();
        return List.of();
    }

    @Override
    public void close() throws IOException {
        machinery.close();
        entropy.close();
        disk.close();
        if (wiring.canary()) {
            damage = Canary.damage(memoryFile.orElseThrow());
        }
    }

    // What came of it

    VirtioIommu iommu() {
        return iommu;
    }

    VirtioBlock disk() {
        return disk;
    }

    /** How many DMAs in flight have arrived at a reset, or tried to. */
    int arrivals() {
        return entropy.arrivals();
    }

    DmaResult strayWrite() {
        return strayWrite;
    }

    DmaResult strayRead() {
        return strayRead;
    }

    /** Where RAM was hit by DMA that was not translated. */
    Optional<Long> damage() {
        return damage;
    }

    /** All is as before the guest came, and nothing happened that must not. */
    void assertNothingLeft() {
        assertEquals(0, mappingsLeft, "mappings");
        assertEquals(0, domainsLeft, "domains");
        assertEquals(0, iommu.stalls(), "stalls");
        assertEquals(Optional.empty(), failure);
        assertEquals(Optional.empty(), damage.map(Long::toHexString), "DMA that was not translated");
    }

    /** Makes devices when a guest is run, and keeps them for the test. */
    static final class Maker implements GuestDevices.Server {

        private final Wiring wiring;
        private @Nullable SuiteDevices made;

        Maker(Wiring wiring) {
            this.wiring = wiring;
        }

        @Override
        public GuestDevices serve(RunFolder folder, GuestOptions options, Qemu qemu) throws IOException {
            SuiteDevices devices = new SuiteDevices(wiring, folder, options);
            made = devices;
            return devices;
        }

        SuiteDevices devices() {
            return Objects.requireNonNull(made, "no guest was booted");
        }
    }
}
