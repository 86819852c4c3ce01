// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.virtio4j.device.ResetKind;
import org.virtio4j.endpoint.VirtioBlock;
import org.virtio4j.iommu.ReservedRegions;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.iommu.VirtioIommuBuilder;
import org.virtio4j.launcher.guest.GuestDevices;
import org.virtio4j.launcher.guest.GuestOptions;
import org.virtio4j.launcher.guest.QemuCommand;
import org.virtio4j.launcher.guest.RunFolder;
import org.virtio4j.machine.Machine;
import org.virtio4j.machine.PciAddress;
import org.virtio4j.machine.ViotTable;
import org.virtio4j.pci.VirtioPciFunction;
import org.virtio4j.vfiouser.VfioUserOptions;
import org.virtio4j.vfiouser.VfioUserSocket;
import org.virtio4j.vmm.DmaHandle;
import org.virtio4j.vmm.DmaResult;
import org.virtio4j.vmm.DmaSpace;

/**
 * The suite's own IOMMU, entropy source and disk, which can be put together wrongly. They lie elsewhere than those of
 * the command, and not side by side.
 */
final class SuiteDevices implements GuestDevices {

    static final PciAddress IOMMU = PciAddress.of("00:05.0");
    static final PciAddress ENTROPY = PciAddress.of("00:07.0");
    static final PciAddress DISK = PciAddress.of("00:0c.0");

    /** In the canary, far from its end, where Linux begins to allocate addresses. */
    static final long STRAY_WRITE = Canary.START + 0xea_d000;
    static final long STRAY_READ = Canary.START + 0xbe_e000;
    static final long IN_FLIGHT = Canary.START + 0xf1_1000;
    private static final int STRAY_BYTES = 16;
    private static final String IOMMU_SOCKET = "iommu.sock";
    private static final String ENTROPY_SOCKET = "entropy.sock";
    private static final String DISK_SOCKET = "disk.sock";

    private final Wiring wiring;
    private final Path sockets;
    private final Optional<Path> memoryFile;
    private final VirtioBlock disk;
    private final VfioUserSocket iommuSocket;
    private final VfioUserSocket entropySocket;
    private final VfioUserSocket diskSocket;
    private final VirtioIommu iommu;
    private final UnrulyEntropy entropy;
    private final VirtioPciFunction iommuFunction;
    private final VirtioPciFunction entropyFunction;
    private final VirtioPciFunction diskFunction;
    private final Machine machine;
    private final DmaHandle entropyStray;
    private final DmaHandle diskStray;
    private final ReentrantLock resetting = new ReentrantLock();

    /** What came of strays: the entropy source's write, the disk's read. */
    private DmaResult strayWrite = DmaResult.CLOSED;
    private DmaResult strayRead = DmaResult.CLOSED;
    private Optional<Long> damage = Optional.empty();

    /**
     * Begins to serve.
     *
     * @param wiring how
     * @param sockets the folder for them
     * @param image the disk
     * @param queues of the disk
     * @param memoryFile the guest's RAM, if it is not handed over
     */
    SuiteDevices(Wiring wiring, Path sockets, Path image, int queues, Optional<Path> memoryFile) throws IOException {
        this.wiring = wiring;
        this.sockets = sockets;
        this.memoryFile = memoryFile;
        if (wiring.canary()) {
            Canary.plant(memoryFile.orElseThrow(), GuestBooter.MEBIBYTES << 20);
        }
        disk = VirtioBlock.builder(image).queues(queues).queueSize(wiring.diskRing()).build();
        VfioUserOptions how = memoryFile.map(VfioUserOptions.DEFAULT::withMemoryFile).orElse(VfioUserOptions.DEFAULT);
        iommuSocket = VfioUserSocket.at(sockets.resolve(IOMMU_SOCKET), how);
        entropySocket = VfioUserSocket.at(sockets.resolve(ENTROPY_SOCKET), how);
        diskSocket = VfioUserSocket.at(sockets.resolve(DISK_SOCKET), how);
        iommu = iommu();
        DmaSpace entropyDma = entropyDma();
        DmaSpace diskDma = DmaSpace.of(diskSocket.memory(), iommu.translator(DISK.bdf()), DISK.bdf());
        entropy = new UnrulyEntropy(entropyDma, IN_FLIGHT, wiring.order() != Wiring.Order.NOT_AWAITED);
        entropyStray = entropyDma.open("stray");
        diskStray = diskDma.open("stray");
        iommuFunction = VirtioPciFunction.of(iommu, DmaSpace.identity(iommuSocket.memory()),
                iommuSocket.interrupts());
        entropyFunction = VirtioPciFunction.of(entropy, entropyDma, entropySocket.interrupts());
        diskFunction = VirtioPciFunction.of(disk, diskDma, diskSocket.interrupts());
        machine = new Machine(IOMMU, iommuFunction);
        machine.endpoint(ENTROPY, entropyFunction);
        machine.endpoint(DISK, diskFunction);
        iommuSocket.start(iommuFunction, this::systemReset);
        entropySocket.start(entropyFunction, this::systemReset);
        diskSocket.start(diskFunction, this::systemReset);
    }

    private VirtioIommu iommu() {
        VirtioIommuBuilder builder = VirtioIommu.builder().endpoint(ENTROPY.bdf()).endpoint(DISK.bdf())
                .reserved(ReservedRegions.X86_MSI).queueSizes(wiring.requestRing(), wiring.requestRing())
                .bypassAfterReset(wiring.bypassAfterReset());
        if (wiring.canary()) {
            builder.inputRange(Canary.START, Canary.END);
        }
        return builder.build();
    }

    private DmaSpace entropyDma() {
        return wiring.entropyTranslated()
                ? DmaSpace.of(entropySocket.memory(),
                        wiring.entropyTranslator().apply(iommu.translator(ENTROPY.bdf())), ENTROPY.bdf())
                : DmaSpace.identity(entropySocket.memory(), ENTROPY.bdf());
    }

    private void systemReset() {
        resetting.lock();
        try {
            if (wiring.order() == Wiring.Order.IOMMU_FIRST) {
                List.of(iommuFunction, entropyFunction, diskFunction)
                        .forEach(function -> function.reset(ResetKind.SYSTEM));
            } else {
                machine.systemReset();
            }
            entropy.arrive();
        } finally {
            resetting.unlock();
        }
    }

    /** Tells QEMU of devices that are served in the folder of sockets, by whatever process. */
    static void describe(QemuCommand command, RunFolder folder, Path sockets) throws IOException {
        command.viot(folder.file("viot", ViotTable.body(IOMMU, List.of(ENTROPY, DISK))));
        command.served(IOMMU, sockets.resolve(IOMMU_SOCKET));
        command.served(ENTROPY, sockets.resolve(ENTROPY_SOCKET));
        command.served(DISK, sockets.resolve(DISK_SOCKET));
    }

    @Override
    public String kernelOptions() {
        return (wiring.canary() ? Canary.kernelOption() : "") + (wiring.entropyTranslated() ? " faults=2" : "");
    }

    @Override
    public void addTo(QemuCommand command, RunFolder folder) throws IOException {
        describe(command, folder, sockets);
    }

    /** The disk's comes last, and behind the IOMMU always, so that Linux hears of something in any case. */
    @Override
    public void strayDma() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(STRAY_BYTES).fill((byte) 0x77);
            entropyStray.enter();
            strayWrite = entropyStray.write(STRAY_WRITE, bytes, 0, STRAY_BYTES);
            entropyStray.leave();
            diskStray.enter();
            strayRead = diskStray.read(STRAY_READ, bytes, 0, STRAY_BYTES);
            diskStray.leave();
            assertEquals(strayRead == DmaResult.OK, bytes.get(ValueLayout.JAVA_BYTE, 0) != 0x77);
        }
    }

    @Override
    public List<String> report() {
        return List.of();
    }

    @Override
    public void close() throws IOException {
        diskSocket.close();
        entropySocket.close();
        iommuSocket.close();
        entropyStray.close();
        diskStray.close();
        entropy.close();
        disk.close();
        if (wiring.canary()) {
            damage = Canary.damage(memoryFile.orElseThrow());
        }
    }

    // What came of it

    VirtioIommu theIommu() {
        return iommu;
    }

    VirtioBlock theDisk() {
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
        assertEquals(0, iommu.liveMappings(), "mappings");
        assertEquals(0, iommu.liveDomains(), "domains");
        assertEquals(0, iommu.stalls(), "stalls");
        for (VfioUserSocket socket : List.of(iommuSocket, entropySocket, diskSocket)) {
            assertEquals(Optional.empty(), socket.failure(), socket.path().toString());
            assertEquals(0, socket.windows(), socket.path().toString());
        }
        assertEquals(Optional.empty(), damage.map(Long::toHexString), "DMA that was not translated");
    }

    /** Makes devices when a guest is run, and keeps them for the test. */
    static final class Maker implements GuestDevices.Server {

        private final Wiring wiring;
        private SuiteDevices made;

        Maker(Wiring wiring) {
            this.wiring = wiring;
        }

        @Override
        public GuestDevices serve(RunFolder folder, GuestOptions options) throws IOException {
            Path image = wiring.disk() == null ? folder.path(RunFolder.DISK) : wiring.disk();
            Optional<Path> memory = options.memoryByName() ? Optional.of(folder.path(RunFolder.MEMORY))
                    : Optional.empty();
            Path sockets = folder.path(RunFolder.DISK).getParent();
            made = new SuiteDevices(wiring, sockets, image, options.processors(), memory);
            return made;
        }

        SuiteDevices devices() {
            return made;
        }
    }
}
