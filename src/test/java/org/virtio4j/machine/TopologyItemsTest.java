// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.virtio4j.vmm.GuestMemory;

/** The bytes of a topology in the configuration of an IOMMU; {@link TopologyFormsTest} has random ones. */
class TopologyItemsTest {

    private static final PciAddress FUNCTION = PciAddress.of("00:02.0");
    private static final MmioBase WINDOW = new MmioBase(0xa000_0000L);

    @Test
    void shouldWriteTheBytesOfTheProposal() {
        IommuScope scope = IommuScope.at(WINDOW).with(new PciRange(0x8001, 0x10, 0xff1f, 0x1234_5678))
                .with(new MmioEndpoint(0x1_0203_0405L, 0xfffe_fdfc));
        assertArrayEquals(HexFormat.of().parseHex("0100" + "0180" + "1000" + "1fff" + "78563412" + "00000000"
                + "0200" + "0000" + "fcfdfeff" + "0504030201000000"), TopologyItems.of(scope));
        assertEquals(0, TopologyItems.of(IommuScope.at(WINDOW)).length);
    }

    @Test
    void shouldSayTheSameAsTheTopologyOfTwoIommus() {
        Topology topology = Topology.of(
                IommuScope.at(FUNCTION).with(PciRange.ofSegment(0, 0)).with(new MmioEndpoint(0xa000_1000L, 0x1_0000)),
                IommuScope.at(WINDOW).with(PciRange.ofSegment(1, 0x8000_0000)).with(new MmioEndpoint(0xa000_2000L, 7)));
        try (GuestMemory memory = GuestMemory.anonymous(0, 4096)) {
            ConfigGuest guest = new ConfigGuest(topology, memory);
            for (Location device : List.of(PciAddress.of("00:00.0"), PciAddress.of("00:02.1"),
                    PciAddress.of("ff:1f.7"), PciAddress.of("0001:00:02.0"), PciAddress.of("0001:ff:1f.7"),
                    PciAddress.of("0002:00:00.0"), FUNCTION, WINDOW, new MmioBase(0xa000_1000L),
                    new MmioBase(0xa000_2000L), new MmioBase(0xa000_3000L))) {
                assertEquals(topology.endpoint(device), guest.endpoint(device), device.toString());
            }
        }
    }
}
