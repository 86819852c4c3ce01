// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guide;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.driver.pci.PciHost;
import org.virtio4j.endpoint.VirtioBlock;
import org.virtio4j.endpoint.VirtioEntropy;
import org.virtio4j.iommu.EndpointClaim;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.machine.IommuScope;
import org.virtio4j.machine.Machine;
import org.virtio4j.machine.PciAddress;
import org.virtio4j.machine.Topology;
import org.virtio4j.pci.PciBus;
import org.virtio4j.pci.PciInterrupts;
import org.virtio4j.pci.VirtioPciFunction;
import org.virtio4j.vmm.GuestMemory;

/** The guide's code for devices that come and go, for groups and for claims. */
class PlugGuideTest {

    private static final long WINDOW = 0x4000_0000L;

    @Test
    void shouldExchangeADevice(@TempDir Path folder) throws IOException {
        Path image = Files.write(folder.resolve("disk.img"), new byte[1 << 20]);
        PciAddress iommuPlace = PciAddress.of("00:01.0");
        Machine machine = new Machine(Topology.of(
                IommuScope.of(iommuPlace, List.of(PciAddress.of("00:03.0")))));
        PciInterrupts interrupts = PciInterrupts.messages();
        try (GuestMemory memory = GuestMemory.anonymous(0, 1 << 20)) {
            VirtioIommu iommu = VirtioIommu.builder().endpoint(0x18, ReservedRegions.X86_MSI).build();
            PciBus bus = new PciBus(WINDOW, 1 << 20);
            machine.add(iommuPlace, VirtioPciFunction.of(iommu, DmaSpace.identity(memory), interrupts));
            VirtioBlock disk = VirtioBlock.builder(image).build();
            VirtioPciFunction first = VirtioPciFunction.of(disk,
                    DmaSpace.of(memory, iommu.translator(0x18), 0x18), interrupts);
            bus.add(3, 0, first);
            machine.add(PciAddress.of("00:03.0"), first);
            // guide: begin
            bus.remove(3, 0);                             // registers and BARs read all ones ...
            machine.remove(PciAddress.of("00:03.0"));     // ... no interrupt and no DMA from now on ...
            iommu.unplug(0x18);                           // ... the driver's requests do not find it ...
            disk.close();                                 // ... and neither thread nor open file is left
            // guide: end
            assertEquals(0, new PciHost(bus.ecam(), bus.memory(), WINDOW, 1 << 20).scan().size());
            assertThrows(IllegalArgumentException.class, () -> iommu.translator(0x18));
            // guide: begin
            iommu.plug(0x18, ReservedRegions.X86_MSI);    // another device in the same place: all is new
            DmaSpace nextDma = DmaSpace.of(memory, iommu.translator(0x18), 0x18);
            VirtioPciFunction next = VirtioPciFunction.of(new VirtioEntropy(), nextDma, interrupts);
            machine.add(PciAddress.of("00:03.0"), next);
            bus.add(3, 0, next);
            // guide: end
            assertEquals(1, new PciHost(bus.ecam(), bus.memory(), WINDOW, 1 << 20).scan().size());
            machine.close();
        }
    }

    @Test
    void shouldGroupAndClaim() {
        boolean guestHasIt = true;
        // guide: begin
        VirtioIommu iommu = VirtioIommu.builder()
                .endpoint(0x08).endpoint(0x100).endpoint(0x108)
                .group(0x100, 0x108)                      // a bridge to PCI gives both devices the id 0x100
                .build();
        // guide: end
        // guide: begin
        try (EndpointClaim claim = iommu.claim(0x08).orElseThrow()) {
            guestHasIt = !claim.isHeld();                 // ATTACH is UNSUPP meanwhile
        }
        // guide: end
        assertFalse(guestHasIt);
        assertTrue(iommu.claim(0x08).isPresent());
    }
}
