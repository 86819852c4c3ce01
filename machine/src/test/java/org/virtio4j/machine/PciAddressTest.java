// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PciAddressTest {

    @Test
    void shouldReadWhatItPrints() {
        PciAddress address = PciAddress.of("01:1f.7");
        assertEquals(new PciAddress(1, 0x1f, 7), address);
        assertEquals("01:1f.7", address.toString());
        assertEquals(0x1ff, address.bdf());
    }

    @Test
    void shouldReadSegments() {
        PciAddress address = PciAddress.of("10ab:02:03.4");
        assertEquals(new PciAddress(0x10ab, 2, 3, 4), address);
        assertEquals("10ab:02:03.4", address.toString());
        assertEquals(0x21c, address.bdf());
        assertEquals(address, PciAddress.of(0x10ab, 0x21c));
        assertEquals("00:08.0", PciAddress.of("0000:00:08.0").toString());
    }

    @Test
    void shouldOrderBySegmentThenByBus() {
        assertTrue(PciAddress.of("ff:1f.7").compareTo(PciAddress.of("0001:00:00.0")) < 0);
        assertTrue(PciAddress.of("00:1f.7").compareTo(PciAddress.of("01:00.0")) < 0);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "8", "00:08", "00:08.8", "00:20.0", "100:00.0", "00:0g.0",
            "00000:00:08.0", ":00:08.0", "0000:0000:08.0"})
    void shouldRefuseWhatIsNoAddress(String text) {
        assertThrows(IllegalArgumentException.class, () -> PciAddress.of(text));
    }
}
