// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.HexFormat;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ViotTableTest {

    private static final PciAddress IOMMU = PciAddress.of("00:08.0");

    /** A table that Linux has listed and obeyed, written down by hand. */
    @Test
    void shouldDescribeFunctionsInARowByOneRange() {
        List<PciAddress> endpoints = IntStream.range(0x48, 0x80)
                .mapToObj(bdf -> new PciAddress(0, bdf >> 3, bdf & 7)).toList();
        assertEquals(digits("0200 3000 0000000000000000"
                + " 01 00 1800 48000000 0000 0000 4800 7f00 4800 000000000000"
                + " 03 00 1000 0000 4000 0000000000000000"), hex(ViotTable.body(IOMMU, endpoints)));
    }

    @Test
    void shouldLeaveOutFunctionsThatAreNotNamed() {
        assertEquals(digits("0300 3000 0000000000000000"
                + " 01 00 1800 48000000 0000 0000 4800 4800 6000 000000000000"
                + " 01 00 1800 50000000 0000 0000 5000 5100 6000 000000000000"
                + " 03 00 1000 0000 4000 0000000000000000"),
                hex(ViotTable.body(IOMMU, List.of(PciAddress.of("00:0a.1"), PciAddress.of("00:09.0"),
                        PciAddress.of("00:0a.0")))));
    }

    @Test
    void shouldRefuseIommuAsItsOwnEndpoint() {
        IllegalArgumentException refusal = assertThrows(IllegalArgumentException.class,
                () -> ViotTable.body(IOMMU, List.of(IOMMU)));
        assertEquals("endpoints=[00:08.0]: must not contain the IOMMU, 00:08.0", refusal.getMessage());
    }

    @Test
    void shouldRefuseTableWithoutEndpoints() {
        assertThrows(IllegalArgumentException.class, () -> ViotTable.body(IOMMU, List.of()));
    }

    private static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }

    private static String digits(String spaced) {
        return spaced.replace(" ", "");
    }
}
