// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.drivers;

import org.virtio4j.wire.FeatureBit;
import org.virtio4j.wire.block.BlockFeature;

/** Says DRIVER_OK before it has a queue, and comes back without ACKNOWLEDGE. */
final class HaikuDriver extends FieldDriver {

    private boolean wasHere;

    HaikuDriver(FieldGuest guest) {
        super(guest);
    }

    @Override
    void start() {
        reset();
        if (!wasHere) {
            add(ACKNOWLEDGE);
        }
        add(DRIVER);
        accept(BlockFeature.RO, BlockFeature.BLK_SIZE, BlockFeature.FLUSH, FeatureBit.INDIRECT_DESC);
        add(FEATURES_OK);
        add(DRIVER_OK);
        writeSize(layRing(guest.sizeMax(), FieldGuest.PAGE).size());
        placeRing();
        enable(1);
        wasHere = true;
    }

    /** One event, acknowledged after it was dealt with. */
    @Override
    void served() {
        int events = guest.isr();
        if ((events & 1) != 0) {
            guest.acknowledge(1);
        }
    }

    @Override
    void leave() {
        reset();
    }
}
