// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.drivers;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.virtio4j.device.transport.QueueArea;
import org.virtio4j.fixture.DriverRing;
import org.virtio4j.fixture.Parked;
import org.virtio4j.transport.Register;
import org.virtio4j.wire.FeatureBit;
import org.virtio4j.wire.block.BlockFeature;

/** Asks for no FEATURES_OK, writes addresses in one access, and takes a queue down by writing zeros everywhere. */
final class RcoreDriver extends FieldDriver {

    private static final int SIZE = 16;
    private static final int TABLE = 2;

    RcoreDriver(FieldGuest guest) {
        super(guest);
    }

    @Override
    void start() {
        reset();
        status(ACKNOWLEDGE | DRIVER);
        accept(BlockFeature.RO, BlockFeature.FLUSH, FeatureBit.INDIRECT_DESC, FeatureBit.EVENT_IDX);
        status(ACKNOWLEDGE | DRIVER | FEATURES_OK);
        assertEquals(0, port.read(0, Register.QUEUE_ENABLE));
        DriverRing ring = layRing(SIZE, Integer.BYTES);
        writeSize(SIZE);
        guest.placeWhole(QueueArea.DESCRIPTOR, ring.descriptors());
        guest.placeWhole(QueueArea.DRIVER, ring.available());
        guest.placeWhole(QueueArea.DEVICE, ring.used());
        enable(1);
        status(ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK);
    }

    @Override
    void lay(int head, DriverRing.Buffer... chain) {
        ring().descriptor(head, ring().table(guest.buffer(TABLE), chain));
    }

    @Override
    void notifyQueue() {
        if (ring().availableIndex() >= ((ring().availableEvent() + 1) & INDEX_MASK)) {
            super.notifyQueue();
        }
    }

    @Override
    void served() {
        ring().usedEvent(used());
    }

    @Override
    void leave() {
        if (!guest.isPci()) {
            enable(0);
            Parked.until(() -> port.read(0, Register.QUEUE_ENABLE) == 0);
            writeSize(0);
            clearAddresses();
        }
        reset();
        if (guest.isPci()) {
            awaitReset();
        }
    }
}
