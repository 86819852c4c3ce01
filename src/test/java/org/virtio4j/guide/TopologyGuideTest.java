// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guide;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.virtio4j.machine.IommuScope;
import org.virtio4j.machine.PciAddress;
import org.virtio4j.machine.Topology;
import org.virtio4j.machine.acpi.ViotTable;

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
}
