// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guide;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.endpoint.VirtioEntropy;
import org.virtio4j.machine.EndpointId;
import org.virtio4j.machine.IommuScope;
import org.virtio4j.machine.Machine;
import org.virtio4j.machine.MmioBase;
import org.virtio4j.machine.MmioEndpoint;
import org.virtio4j.machine.MmioWindow;
import org.virtio4j.machine.PciAddress;
import org.virtio4j.machine.PciRange;
import org.virtio4j.machine.Topology;
import org.virtio4j.machine.acpi.MmioDeviceTable;
import org.virtio4j.machine.acpi.ViotTable;
import org.virtio4j.mmio.VirtioMmioDevice;
import org.virtio4j.pci.PciInterrupts;
import org.virtio4j.pci.VirtioPciFunction;
import org.virtio4j.vmm.GuestMemory;

/** What the guide says about telling the guest of its IOMMUs. */
class TopologyGuideTest {

    @Test
    void shouldWriteTheTableOfWhoIsBehindTheIommu() {
        // guide: begin
        Topology topology = Topology.of(IommuScope.of(PciAddress.of("00:01.0"),       // the IOMMU
                List.of(PciAddress.of("00:02.0"), PciAddress.of("00:03.0"))));
        byte[] viot = ViotTable.table(topology);
        int disk = topology.endpoint(PciAddress.of("00:03.0")).orElseThrow().id();    // for iommu.translator(disk)
        // guide: end
        assertEquals(48 + 2 * 24 + 16, viot.length, "header, two ranges, an IOMMU");
        assertEquals(0x18, disk);
    }

    @Test
    void shouldPutAMachineWithTwoIommusTogether() {
        GuestMemory memory = GuestMemory.anonymous(0, 1 << 20);
        VirtioPciFunction function = VirtioPciFunction.of(new VirtioEntropy(), DmaSpace.identity(memory),
                PciInterrupts.messages());
        VirtioMmioDevice window = VirtioMmioDevice.of(new VirtioEntropy(), DmaSpace.identity(memory), level -> { });
        // guide: begin
        PciAddress onPci = PciAddress.of("00:01.0");
        MmioBase onMmio = new MmioBase(0x0c00_0000L);
        Topology topology = Topology.of(
                IommuScope.at(onPci).with(PciRange.ofSegment(0, 0)),                // each endpoint is its BDF
                IommuScope.at(onMmio).with(new PciRange(1, 0x08, 0x0f, 0x100))      // 0001:00:01.0 is endpoint 0x100
                        .with(new MmioEndpoint(0x0c00_0200L, 1)));
        // guide: end
        // guide: begin
        Machine machine = new Machine(topology);         // resets and closes IOMMUs after all else
        machine.add(onPci, function);
        machine.add(onMmio, window);

        byte[] viot = ViotTable.table(topology);
        byte[] ssdt = MmioDeviceTable.table(List.of(     // for devices over MMIO: place, size, global system interrupt
                new MmioWindow(onMmio, 0x200, 48), new MmioWindow(new MmioBase(0x0c00_0200L), 0x200, 49)));
        EndpointId far = topology.endpoint(PciAddress.of("0001:00:01.0")).orElseThrow();
        // guide: end
        assertEquals(new EndpointId(onMmio, 0x100), far);
        assertEquals(48 + 2 * 16 + 3 * 24, viot.length);
        assertTrue(ssdt.length > 0);
        machine.close();
        memory.close();
    }
}
