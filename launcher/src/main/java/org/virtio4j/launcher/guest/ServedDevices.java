// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher.guest;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.virtio4j.endpoint.BlockCounters;
import org.virtio4j.endpoint.VirtioBlock;
import org.virtio4j.endpoint.VirtioEntropy;
import org.virtio4j.iommu.IommuCounters;
import org.virtio4j.iommu.ReservedRegions;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.machine.Machine;
import org.virtio4j.pci.VirtioPciFunction;
import org.virtio4j.vfiouser.VfioUserOptions;
import org.virtio4j.vfiouser.VfioUserSocket;
import org.virtio4j.vmm.DmaHandle;
import org.virtio4j.vmm.DmaSpace;
import org.virtio4j.wire.iommu.RequestType;

/** This project's devices, each served to QEMU at a socket of its own. */
final class ServedDevices implements GuestDevices {

    /** Where nothing is mapped: Linux takes addresses from the top of a device's range. */
    private static final long STRAY_ADDRESS = 0xdead000;
    private static final long STRAY_BYTES = 16;

    private final VirtioBlock disk;
    private final Sockets sockets;
    private final VirtioIommu iommu;
    private final Machine machine;
    private final DmaHandle stray;

    private ServedDevices(VirtioBlock disk, Sockets sockets) {
        this.disk = disk;
        this.sockets = sockets;
        iommu = VirtioIommu.builder().endpoint(Guest.RNG.bdf()).endpoint(Guest.DISK.bdf())
                .reserved(ReservedRegions.X86_MSI).build();
        DmaSpace rngDma = DmaSpace.of(sockets.rng.memory(), iommu.translator(Guest.RNG.bdf()), Guest.RNG.bdf());
        DmaSpace diskDma = DmaSpace.of(sockets.disk.memory(), iommu.translator(Guest.DISK.bdf()), Guest.DISK.bdf());
        VirtioPciFunction iommuFunction = VirtioPciFunction.of(iommu, DmaSpace.identity(sockets.iommu.memory()),
                sockets.iommu.interrupts());
        VirtioPciFunction rng = VirtioPciFunction.of(new VirtioEntropy(), rngDma, sockets.rng.interrupts());
        VirtioPciFunction block = VirtioPciFunction.of(disk, diskDma, sockets.disk.interrupts());
        machine = new Machine(Guest.IOMMU, iommuFunction);
        machine.endpoint(Guest.RNG, rng);
        machine.endpoint(Guest.DISK, block);
        stray = rngDma.open("stray DMA");
        sockets.iommu.start(iommuFunction, machine::systemReset);
        sockets.rng.start(rng, machine::systemReset);
        sockets.disk.start(block, machine::systemReset);
    }

    /** Begins to serve at sockets in the folder. */
    static ServedDevices serve(RunFolder folder, GuestOptions options) throws IOException {
        VirtioBlock disk = VirtioBlock.builder(folder.path(RunFolder.DISK)).queues(options.processors()).build();
        try {
            return new ServedDevices(disk, Sockets.listen(folder, options));
        } catch (IOException refused) {
            disk.close();
            throw refused;
        }
    }

    @Override
    public void addTo(QemuCommand command, RunFolder folder) throws IOException {
        command.viot(folder.file("viot", machine.viot()));
        command.served(Guest.IOMMU, sockets.iommu.path());
        command.served(Guest.RNG, sockets.rng.path());
        command.served(Guest.DISK, sockets.disk.path());
    }

    /** The entropy source writes where nothing is mapped for it. The calling thread is the only one that does so. */
    @Override
    public void strayDma() {
        try (Arena arena = Arena.ofConfined()) {
            stray.enter();
            // Refused, which is what this is for; the IOMMU reports it when the section ends.
            Object ignored = stray.write(STRAY_ADDRESS, arena.allocate(STRAY_BYTES), 0, STRAY_BYTES);
            stray.leave();
        }
    }

    @Override
    public List<String> report() {
        IommuCounters counters = iommu.counters();
        BlockCounters blocks = disk.counters();
        return List.of(
                String.format(Locale.ROOT, "ATTACH %,d, MAP %,d, UNMAP %,d of %,d mappings, PROBE %,d, in %,d batches",
                        counters.requests(RequestType.ATTACH), counters.requests(RequestType.MAP),
                        counters.requests(RequestType.UNMAP), counters.removedMappings(),
                        counters.requests(RequestType.PROBE), counters.batches()),
                String.format(Locale.ROOT, "faults: %,d reported, %,d lost", counters.reportedFaults(),
                        counters.lostFaults()),
                String.format(Locale.ROOT, "left over: %,d mappings, %,d domains", iommu.liveMappings(),
                        iommu.liveDomains()),
                String.format(Locale.ROOT, "disk: %,d bytes read, %,d written", blocks.bytesRead(),
                        blocks.bytesWritten()));
    }

    @Override
    public void close() throws IOException {
        sockets.close();
        stray.close();
        disk.close();
    }

    /** One for each function. */
    private static final class Sockets {

        private final VfioUserSocket iommu;
        private final VfioUserSocket rng;
        private final VfioUserSocket disk;

        private Sockets(List<VfioUserSocket> all) {
            iommu = all.get(0);
            rng = all.get(1);
            disk = all.get(2);
        }

        static Sockets listen(RunFolder folder, GuestOptions options) throws IOException {
            VfioUserOptions how = options.memoryByName()
                    ? VfioUserOptions.DEFAULT.withMemoryFile(folder.path(RunFolder.MEMORY)) : VfioUserOptions.DEFAULT;
            List<VfioUserSocket> all = new ArrayList<>();
            try {
                for (String name : List.of("iommu", "rng", "disk")) {
                    all.add(VfioUserSocket.at(folder.path(name + ".sock"), how));
                }
                return new Sockets(all);
            } catch (IOException refused) {
                all.forEach(VfioUserSocket::close);
                throw refused;
            }
        }

        /** Those that do DMA first. */
        void close() {
            disk.close();
            rng.close();
            iommu.close();
        }
    }
}
