// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.HexFormat;
import org.junit.jupiter.api.Test;

class TopologyItemsTest {

    @Test
    void shouldWriteTheBytesOfTheProposal() {
        IommuScope scope = IommuScope.at(new MmioBase(0x1000)).with(new PciRange(0x8001, 0x10, 0xff1f, 0x1234_5678))
                .with(new MmioEndpoint(0x1_0203_0405L, 0xfffe_fdfc));
        assertArrayEquals(HexFormat.of().parseHex("0100" + "0180" + "1000" + "1fff" + "78563412" + "00000000"
                + "0200" + "0000" + "fcfdfeff" + "0504030201000000"), TopologyItems.of(scope));
        assertEquals(0, TopologyItems.of(IommuScope.at(new MmioBase(0x1000))).length);
    }
}
