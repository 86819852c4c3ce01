// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.drivers;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.virtio4j.transport.Register;
import org.virtio4j.wire.FeatureBit;
import org.virtio4j.wire.block.BlockConfig;
import org.virtio4j.wire.block.BlockFeature;

/** Accepts nearly all there is, asks no queue whether it is enabled, and unmaps vectors after its reset. */
final class ViostorDriver extends FieldDriver {

    private static final int VECTOR = 1;

    ViostorDriver(FieldGuest guest) {
        super(guest);
    }

    @Override
    void start() {
        reset();
        awaitReset();
        add(ACKNOWLEDGE);
        add(DRIVER);
        accept(BlockFeature.FLUSH, BlockFeature.CONFIG_WCE, BlockFeature.RO, BlockFeature.SIZE_MAX,
                BlockFeature.SEG_MAX, BlockFeature.BLK_SIZE, BlockFeature.GEOMETRY, BlockFeature.MQ,
                BlockFeature.DISCARD, BlockFeature.WRITE_ZEROES, FeatureBit.ANY_LAYOUT, FeatureBit.INDIRECT_DESC,
                FeatureBit.EVENT_IDX, FeatureBit.ACCESS_PLATFORM, FeatureBit.ORDER_PLATFORM);
        add(FEATURES_OK);
        assertFeaturesOk();
        writeSize(layRing(guest.sizeMax(), FieldGuest.PAGE).size());
        placeRing();
        assertEquals(VECTOR, guest.vector(VECTOR));
        enable(1);
        add(DRIVER_OK);
    }

    /** Two halves, again and again until the generation stays as it is. */
    @Override
    long capacity() {
        long value;
        long before;
        do {
            before = port.read(Register.CONFIG_GENERATION);
            value = half(BlockConfig.CAPACITY) | half(BlockConfig.CAPACITY + Integer.BYTES) << Integer.SIZE;
        } while (before != port.read(Register.CONFIG_GENERATION));
        return value;
    }

    @Override
    void served() {
        ring().usedEvent(used());
    }

    @Override
    void leave() {
        reset();
        awaitReset();
        guest.vector(NO_VECTOR);
    }
}
