// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.drivers;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.virtio4j.transport.Register;
import org.virtio4j.wire.block.BlockConfig;
import org.virtio4j.wire.block.BlockFeature;

/** Reads the interrupt status for a wait, sets two status bits at once, acknowledges nothing, and leaves as it is. */
final class SeaBiosDriver extends FieldDriver {

    private static final int LARGEST = 128;

    SeaBiosDriver(FieldGuest guest) {
        super(guest);
    }

    @Override
    void start() {
        reset();
        guest.isr();
        status(ACKNOWLEDGE | DRIVER);
        accept(BlockFeature.BLK_SIZE, BlockFeature.SEG_MAX, BlockFeature.SIZE_MAX);
        status(ACKNOWLEDGE | DRIVER | FEATURES_OK);
        assertFeaturesOk();
        layRing(size(), FieldGuest.PAGE);
        wantNoInterrupt();
        placeRing();
        enable(1);
        guest.notifyOffset();
        status(ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK);
    }

    /** Over PCI the size is written only if it is too large, and read again. */
    private int size() {
        int size = Math.min(guest.sizeMax(), LARGEST);
        if (!guest.isPci()) {
            writeSize(size);
        } else if (guest.sizeMax() > LARGEST) {
            writeSize(LARGEST);
            assertEquals(size, port.read(Register.QUEUE_SIZE));
        }
        return size;
    }

    /** Looks at the geometry, too, whether or not there is one. */
    @Override
    long capacity() {
        assertEquals(0, port.readConfig(BlockConfig.GEOMETRY, Short.BYTES));
        assertEquals(0, port.readConfig(BlockConfig.GEOMETRY + 2, Byte.BYTES));
        assertEquals(0, port.readConfig(BlockConfig.GEOMETRY + 3, Byte.BYTES));
        return super.capacity();
    }

    @Override
    void served() {
        guest.isr();
    }

    @Override
    void leave() {
        // The next driver finds the device at work.
    }
}
