// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.drivers;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.virtio4j.wire.FeatureBit;
import org.virtio4j.wire.block.BlockFeature;

/** Reads the status for each bit it adds, enables queues twice, and takes addresses away after its reset. */
final class FreeBsdDriver extends FieldDriver {

    private static final int VECTOR = 1;

    FreeBsdDriver(FieldGuest guest) {
        super(guest);
    }

    @Override
    void start() {
        reset();
        awaitReset();
        add(ACKNOWLEDGE);
        add(DRIVER);
        accept(BlockFeature.SEG_MAX, BlockFeature.BLK_SIZE, BlockFeature.FLUSH, BlockFeature.CONFIG_WCE,
                FeatureBit.INDIRECT_DESC, FeatureBit.EVENT_IDX, FeatureBit.NOTIFY_ON_EMPTY);
        add(FEATURES_OK);
        assertFeaturesOk();
        writeSize(layRing(guest.sizeMax(), FieldGuest.PAGE).size());
        placeRing();
        assertEquals(VECTOR, guest.vector(VECTOR));
        enable(1);
        enable(1);
        add(DRIVER_OK);
    }

    @Override
    void served() {
        ring().usedEvent(used());
    }

    @Override
    void leave() {
        reset();
        awaitReset();
        clearAddresses();
    }
}
