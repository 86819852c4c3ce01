// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.drivers;

import org.virtio4j.transport.Register;
import org.virtio4j.wire.FeatureBit;
import org.virtio4j.wire.block.BlockConfig;
import org.virtio4j.wire.block.BlockFeature;

/** Writes no queue size, maps vectors after the queue is enabled, and reads high halves first. */
final class OpenBsdDriver extends FieldDriver {

    private static final int VECTOR = 1;

    OpenBsdDriver(FieldGuest guest) {
        super(guest);
    }

    @Override
    void start() {
        reset();
        awaitReset();
        add(ACKNOWLEDGE);
        add(DRIVER);
        accept(BlockFeature.RO, BlockFeature.FLUSH, FeatureBit.INDIRECT_DESC, FeatureBit.EVENT_IDX,
                FeatureBit.ACCESS_PLATFORM);
        add(FEATURES_OK);
        assertFeaturesOk();
        port.write(Register.QUEUE_SELECT, 0);
        layRing(guest.sizeMax(), FieldGuest.PAGE);
        placeRing();
        enable(1);
        guest.notifyOffset();
        guest.vector(VECTOR);
        add(DRIVER_OK);
    }

    @Override
    long capacity() {
        long high = half(BlockConfig.CAPACITY + Integer.BYTES);
        return high << Integer.SIZE | half(BlockConfig.CAPACITY);
    }

    @Override
    void served() {
        ring().usedEvent(used());
    }

    @Override
    void leave() {
        reset();
        awaitReset();
        enable(0);
        clearAddresses();
    }
}
