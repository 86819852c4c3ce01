// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine.acpi;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.virtio4j.machine.IommuScope;
import org.virtio4j.machine.MmioBase;
import org.virtio4j.machine.MmioEndpoint;
import org.virtio4j.machine.PciAddress;
import org.virtio4j.machine.PciRange;
import org.virtio4j.machine.Topology;

class ViotTableTest {

    private static final PciAddress IOMMU = PciAddress.of("00:08.0");

    /** The nodes of a table that Linux has listed and obeyed, written down by hand. */
    @Test
    void shouldDescribeFunctionsInARowByOneRange() {
        List<PciAddress> endpoints = IntStream.range(0x48, 0x80)
                .mapToObj(bdf -> new PciAddress(0, bdf >> 3, bdf & 7)).toList();
        assertEquals(digits("0200 3000 0000000000000000"
                + " 03 00 1000 0000 4000 0000000000000000"
                + " 01 00 1800 48000000 0000 0000 4800 7f00 3000 000000000000"),
                hex(ViotTable.body(Topology.of(IommuScope.of(IOMMU, endpoints)))));
    }

    @Test
    void shouldLeaveOutFunctionsThatAreNotNamed() {
        assertEquals(digits("0300 3000 0000000000000000"
                + " 03 00 1000 0000 4000 0000000000000000"
                + " 01 00 1800 48000000 0000 0000 4800 4800 3000 000000000000"
                + " 01 00 1800 50000000 0000 0000 5000 5100 3000 000000000000"),
                hex(ViotTable.body(Topology.of(IommuScope.of(IOMMU, List.of(PciAddress.of("00:0a.1"),
                        PciAddress.of("00:09.0"), PciAddress.of("00:0a.0")))))));
    }

    @Test
    void shouldDescribeSeveralIommusOnPciAndMmio() {
        Topology topology = Topology.of(
                IommuScope.at(PciAddress.of("0002:01:00.0")).with(new PciRange(2, 0, 0xffff, 0x1_0000))
                        .with(new MmioEndpoint(0xfeb0_0200L, 7)),
                IommuScope.at(new MmioBase(0x1_feb0_0000L)).with(new PciRange(0, 0x10, 0x17, 0))
                        .with(new MmioEndpoint(0x8000_0000_0000_0000L, 0xffff_ffff)));
        assertEquals(digits("0600 3000 0000000000000000"
                + " 03 00 1000 0200 0001 0000000000000000"
                + " 04 00 1000 00000000 0000b0fe01000000"
                + " 01 00 1800 00000100 0200 0200 0000 ffff 3000 000000000000"
                + " 02 00 1800 07000000 0002b0fe00000000 3000 000000000000"
                + " 01 00 1800 00000000 0000 0000 1000 1700 4000 000000000000"
                + " 02 00 1800 ffffffff 0000000000000080 4000 000000000000"), hex(ViotTable.body(topology)));
    }

    /** ACPI 6.5, section 5.2.6. */
    @Test
    void shouldBeginWithTheHeaderOfAllTables() {
        Topology topology = Topology.of(IommuScope.of(IOMMU, List.of(PciAddress.of("00:09.0"))));
        byte[] table = ViotTable.table(topology);
        byte[] header = Arrays.copyOf(table, 36);
        header[9] = 0;
        assertEquals(digits("56494f54 58000000 00 00 56495254494f 56495254494f344a 01000000 56344a20 01000000"),
                hex(header));
        assertEquals(table.length, table[4]);
        assertEquals(0, IntStream.range(0, table.length).map(at -> table[at]).sum() & 0xff, "sum of all bytes");
        assertArrayEquals(ViotTable.body(topology), Arrays.copyOfRange(table, 36, table.length));
    }

    @Test
    void shouldRefuseMoreNodesThanItCanCount() {
        List<MmioEndpoint> endpoints = new ArrayList<>();
        for (int i = 0; i < 0x1_0000; i++) {
            endpoints.add(new MmioEndpoint(0x1_0000_0000L + i * 0x1000L, i));
        }
        IllegalArgumentException refusal = assertThrows(IllegalArgumentException.class, () -> ViotTable.table(
                Topology.of(new IommuScope(IOMMU, List.of(), endpoints.subList(0, 0xffff)))));
        assertEquals("topology=1 IOMMUs, 65536 nodes: a VIOT has room for 4,092 and 65,535; use larger ranges",
                refusal.getMessage());
    }

    private static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }

    private static String digits(String spaced) {
        return spaced.replace(" ", "");
    }
}
