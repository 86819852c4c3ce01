// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.drivers;

import org.virtio4j.wire.FeatureBit;
import org.virtio4j.wire.block.BlockFeature;

/** Waits for no reset, writes no queue size, and disables queues that the reset before has disabled. */
final class NetBsdDriver extends FieldDriver {

    private static final int VECTOR = 1;

    NetBsdDriver(FieldGuest guest) {
        super(guest);
    }

    @Override
    void start() {
        reset();
        add(ACKNOWLEDGE);
        add(DRIVER);
        accept(BlockFeature.RO, BlockFeature.BLK_SIZE, BlockFeature.FLUSH, FeatureBit.INDIRECT_DESC);
        add(FEATURES_OK);
        assertFeaturesOk();
        layRing(guest.sizeMax(), FieldGuest.PAGE);
        placeRing();
        enable(1);
        guest.notifyOffset();
        guest.vector(VECTOR);
        add(DRIVER_OK);
    }

    @Override
    void leave() {
        reset();
        enable(0);
        clearAddresses();
    }
}
