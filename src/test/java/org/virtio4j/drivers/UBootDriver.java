// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.drivers;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.virtio4j.transport.Register;
import org.virtio4j.wire.block.BlockFeature;

/** Leaves ACKNOWLEDGE out, and disables queues that the reset before has disabled. */
final class UBootDriver extends FieldDriver {

    UBootDriver(FieldGuest guest) {
        super(guest);
    }

    @Override
    void start() {
        resetAsItsTransport();
        add(DRIVER);
        assertEquals(DRIVER, status());
        acceptWord(1);
        acceptWord(0, BlockFeature.BLK_SIZE, BlockFeature.SIZE_MAX, BlockFeature.SEG_MAX, BlockFeature.WRITE_ZEROES);
        add(FEATURES_OK);
        assertFeaturesOk();
        assertEquals(0, port.read(0, Register.QUEUE_ENABLE));
        writeSize(layRing(guest.sizeMax(), FieldGuest.PAGE).size());
        placeRing();
        enable(1);
        wantNoInterrupt();
        add(DRIVER_OK);
    }

    @Override
    void leave() {
        resetAsItsTransport();
        enable(0);
        assertEquals(0, port.read(0, Register.QUEUE_ENABLE));
    }

    /** It waits for a reset over PCI alone. */
    private void resetAsItsTransport() {
        reset();
        if (guest.isPci()) {
            awaitReset();
        }
    }

    /** Asks where to notify each time. */
    @Override
    void notifyQueue() {
        port.write(Register.QUEUE_SELECT, 0);
        port.notifyQueue(guest.notifyOffset());
    }
}
