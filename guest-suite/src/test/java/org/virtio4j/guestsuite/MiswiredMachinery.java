// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.virtio4j.device.DeviceListener;
import org.virtio4j.device.ResetKind;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.endpoint.VirtioBlock;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.iommu.VirtioIommuBuilder;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.machine.IommuScope;
import org.virtio4j.machine.PciAddress;
import org.virtio4j.machine.Topology;
import org.virtio4j.machine.acpi.ViotTable;
import org.virtio4j.pci.VirtioPciFunction;
import org.virtio4j.serving.QemuArguments;
import org.virtio4j.serving.plan.IommuPlan;
import org.virtio4j.vfiouser.VfioUserOptions;
import org.virtio4j.vfiouser.VfioUserSocket;

/** Connected with a {@link Mistake}. */
final class MiswiredMachinery implements Machinery {

    private final Path folder;
    private final VfioUserSocket iommuSocket;
    private final VfioUserSocket entropySocket;
    private final VfioUserSocket diskSocket;
    private final VirtioIommu iommu;
    private final DmaSpace entropyDma;
    private final DmaSpace diskDma;
    private final VirtioPciFunction iommuFunction;
    private final VirtioPciFunction entropy;
    private final VirtioPciFunction disk;

    MiswiredMachinery(Mistake mistake, Path folder, Optional<Path> memoryFile, IommuPlan plan,
            UnrulyEntropy unruly, VirtioBlock block) throws IOException {
        this.folder = folder;
        VfioUserOptions how = memoryFile.map(VfioUserOptions.DEFAULT::withMemoryFile).orElse(VfioUserOptions.DEFAULT);
        iommuSocket = VfioUserSocket.at(folder.resolve("iommu.sock"), how);
        entropySocket = VfioUserSocket.at(folder.resolve("rng-07.0.sock"), how);
        diskSocket = VfioUserSocket.at(folder.resolve("disk-0c.0.sock"), how);
        VirtioIommuBuilder builder = plan.builder();
        if (mistake == Mistake.NOT_AWAITED_NOR_BLOCKED) {
            builder.bypassAfterReset(true);
        }
        iommu = builder.endpoint(ENTROPY.bdf(), ReservedRegions.X86_MSI)
                .endpoint(DISK.bdf(), ReservedRegions.X86_MSI).build();
        entropyDma = switch (mistake) {
            case NOT_TRANSLATED -> DmaSpace.identity(entropySocket.memory(), ENTROPY.bdf());
            case NO_PERMISSIONS -> DmaSpace.of(entropySocket.memory(),
                    new EverythingReads(iommu.translator(ENTROPY.bdf())), ENTROPY.bdf());
            default -> DmaSpace.of(entropySocket.memory(), iommu.translator(ENTROPY.bdf()), ENTROPY.bdf());
        };
        diskDma = DmaSpace.of(diskSocket.memory(), iommu.translator(DISK.bdf()), DISK.bdf());
        iommuFunction = VirtioPciFunction.of(iommu, DmaSpace.identity(iommuSocket.memory()),
                iommuSocket.interrupts());
        entropy = VirtioPciFunction.of(unruly, entropyDma, entropySocket.interrupts());
        disk = VirtioPciFunction.of(block, diskDma, diskSocket.interrupts());
        iommuFunction.listener(new DeviceListener() {
            @Override
            public void resetCompleted(ResetKind kind) {
                unruly.arrive();
            }
        });
        iommuSocket.start(iommuFunction);
        entropySocket.start(entropy);
        diskSocket.start(disk);
    }

    @Override
    public VirtioIommu iommu() {
        return iommu;
    }

    @Override
    public DmaSpace dma(PciAddress endpoint) {
        return endpoint.equals(ENTROPY) ? entropyDma : diskDma;
    }

    @Override
    public int connected() {
        return (int) sockets().filter(VfioUserSocket::connected).count();
    }

    @Override
    public Optional<String> failure() {
        return sockets().flatMap(socket -> socket.failure().stream()).map(Throwable::toString).findFirst();
    }

    @Override
    public void addTo(QemuArguments arguments) throws IOException {
        Files.write(folder.resolve("viot"),
                ViotTable.body(Topology.of(IommuScope.of(IOMMU, List.of(ENTROPY, DISK)))));
        Machinery.addTo(arguments, folder);
    }

    @Override
    public void close() {
        diskSocket.close();
        entropySocket.close();
        iommuSocket.close();
    }

    private Stream<VfioUserSocket> sockets() {
        return Stream.of(iommuSocket, entropySocket, diskSocket);
    }
}
