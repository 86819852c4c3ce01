// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.virtio4j.wire.FeatureBit;

/** Sections 4.1.4.4 and 4.1.5.2: notifications of available buffers. */
class NotificationTest {

    private final PciGuest guest = PciGuest.sendingMessages(FeatureBit.NOTIFICATION_DATA);

    @AfterEach
    void close() {
        guest.close();
    }

    @Test
    @DisplayName("4.1.5.2: each queue is notified at its own address, with 16 bits or with 32")
    void shouldKickTheQueueWhoseAddressIsWritten() {
        guest.start();
        write(0, 2, 0);
        write(4, 2, 1);
        write(4, 4, 0x8005_0001L);
        write(0, 4, 0x1_0000L);
        assertEquals(List.of(0, 1, 1, 0), guest.device.kicks());
    }

    @Test
    void shouldKickNobodyWhenTheAddressOrWidthIsNoneOfAQueue() {
        guest.start();
        for (long at : new long[] {1, 2, 3, 5, 6, 7, 8, 12, 0xffc, 0x1000, 0x7fff_ffff_0000_0000L}) {
            write(at, 2, 0);
            write(at, 4, 1);
        }
        for (int width : new int[] {-1, 0, 1, 3, 5, 8}) {
            write(0, width, 0);
        }
        assertEquals(List.of(), guest.device.kicks());
        for (int width : new int[] {1, 2, 4, 8}) {
            assertEquals(0, guest.function.readBar(PciGuest.VIRTIO_BAR, guest.notify, width));
        }
    }

    private void write(long at, int width, long value) {
        guest.function.writeBar(PciGuest.VIRTIO_BAR, guest.notify + at, width, value);
    }
}
