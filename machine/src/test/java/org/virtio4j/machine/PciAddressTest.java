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
    void shouldOrderByBus() {
        assertTrue(PciAddress.of("00:1f.7").compareTo(PciAddress.of("01:00.0")) < 0);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "8", "00:08", "00:08.8", "00:20.0", "100:00.0", "00:0g.0", "0000:00:08.0"})
    void shouldRefuseWhatIsNoAddress(String text) {
        assertThrows(IllegalArgumentException.class, () -> PciAddress.of(text));
    }
}
