// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.endpoint.VirtioBlock;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.machine.PciAddress;
import org.virtio4j.serving.QemuArguments;
import org.virtio4j.serving.ServedMachine;
import org.virtio4j.serving.plan.DevicePlan;
import org.virtio4j.serving.plan.IommuPlan;
import org.virtio4j.serving.plan.MachinePlan;
import org.virtio4j.serving.plan.MemoryPlan;

/** As the command connects them. */
final class ServedMachinery implements Machinery {

    private final ServedMachine machine;

    ServedMachinery(Path folder, Optional<Path> memoryFile, IommuPlan iommu, UnrulyEntropy entropy,
            VirtioBlock disk) throws IOException {
        List<DevicePlan> devices =
                List.of(new DevicePlan("rng", ENTROPY, true, ReservedRegions.X86_MSI, () -> entropy),
                        new DevicePlan("disk", DISK, true, ReservedRegions.X86_MSI, () -> disk));
        machine = ServedMachine.serve(new MachinePlan("suite", folder,
                MemoryPlan.of(GuestBooter.MEBIBYTES).withFile(memoryFile), iommu, devices));
    }

    @Override
    public VirtioIommu iommu() {
        return machine.iommu();
    }

    @Override
    public DmaSpace dma(PciAddress endpoint) {
        return machine.dma(endpoint);
    }

    @Override
    public int connected() {
        return machine.connected();
    }

    @Override
    public Optional<String> failure() {
        return machine.failure();
    }

    @Override
    public void addTo(QemuArguments arguments) {
        machine.addTo(arguments);
    }

    @Override
    public void close() throws IOException {
        machine.close();
    }
}
