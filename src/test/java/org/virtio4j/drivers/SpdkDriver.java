// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.drivers;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.virtio4j.transport.Register;
import org.virtio4j.wire.FeatureBit;
import org.virtio4j.wire.block.BlockConfig;
import org.virtio4j.wire.block.BlockFeature;

/** Looks at the status once after its reset, reads the configuration in bytes, and writes no queue size. */
final class SpdkDriver extends FieldDriver {

    SpdkDriver(FieldGuest guest) {
        super(guest);
    }

    @Override
    void start() {
        reset();
        status();
        set(ACKNOWLEDGE);
        set(DRIVER);
        accept(BlockFeature.BLK_SIZE, BlockFeature.TOPOLOGY, BlockFeature.MQ, BlockFeature.RO, BlockFeature.DISCARD,
                BlockFeature.FLUSH, FeatureBit.EVENT_IDX);
        set(FEATURES_OK);
        port.write(Register.QUEUE_SELECT, 0);
        layRing(guest.sizeMax(), FieldGuest.PAGE);
        wantNoInterrupt();
        placeRing();
        guest.vector(NO_VECTOR);
        guest.notifyOffset();
        enable(1);
        set(DRIVER_OK);
    }

    private void set(int bit) {
        add(bit);
        assertEquals(bit, status() & bit);
    }

    @Override
    long capacity() {
        long value;
        long before;
        do {
            before = port.read(Register.CONFIG_GENERATION);
            value = bytes(BlockConfig.CAPACITY, Long.BYTES);
        } while (before != port.read(Register.CONFIG_GENERATION));
        return value;
    }

    @Override
    void leave() {
        reset();
        status();
        clearAddresses();
        enable(0);
    }
}
