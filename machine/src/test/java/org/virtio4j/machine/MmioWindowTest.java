// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class MmioWindowTest {

    /** Linux, drivers/virtio/virtio_mmio.c: size, base, interrupt. */
    @Test
    void shouldTellLinuxOfADevice() {
        assertEquals("virtio_mmio.device=0x200@0x1feb00000:17",
                new MmioWindow(new MmioBase(0x1_feb0_0000L), 0x200, 17).linuxOption());
    }

    @Test
    void shouldRefuseWhatIsNoWindow() {
        MmioBase last = new MmioBase(-0x200);
        assertEquals(0x200, new MmioWindow(last, 0x200, 0).size());
        assertThrows(IllegalArgumentException.class, () -> new MmioWindow(last, 0x201, 0));
        assertThrows(IllegalArgumentException.class, () -> new MmioWindow(last, 0, 0));
        assertThrows(IllegalArgumentException.class, () -> new MmioWindow(last, 0x200, -1));
    }
}
