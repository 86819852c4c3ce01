// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.drivers;

import org.virtio4j.transport.Register;
import org.virtio4j.wire.DeviceType;
import org.virtio4j.wire.block.BlockConfig;
import org.virtio4j.wire.block.BlockFeature;

/** Waits for no reset, reads the configuration before features are accepted, and uses descriptor 0 for ever. */
final class Edk2Driver extends FieldDriver {

    Edk2Driver(FieldGuest guest) {
        super(guest);
    }

    @Override
    void start() {
        reset();
        status(ACKNOWLEDGE);
        status(ACKNOWLEDGE | DRIVER);
        if (port.driver().deviceType() == DeviceType.BLOCK) {
            capacity();
        }
        accept(BlockFeature.BLK_SIZE, BlockFeature.TOPOLOGY, BlockFeature.RO, BlockFeature.FLUSH);
        status(ACKNOWLEDGE | DRIVER | FEATURES_OK);
        int seen = status();
        assertFeaturesOk();
        port.write(Register.QUEUE_SELECT, 0);
        int size = layRing(guest.sizeMax(), FieldGuest.PAGE).size();
        if (!guest.isPci()) {
            writeSize(size);
        }
        placeRing();
        enable(1);
        status(seen | DRIVER_OK);
    }

    /** Byte by byte over MMIO. */
    @Override
    long capacity() {
        return guest.isPci() ? super.capacity() : bytes(BlockConfig.CAPACITY, Long.BYTES);
    }

    @Override
    int head(int length) {
        wantNoInterrupt();
        return 0;
    }

    @Override
    void notifyQueue() {
        if (guest.isPci()) {
            long selected = port.read(Register.QUEUE_SELECT);
            port.write(Register.QUEUE_SELECT, 0);
            int offset = guest.notifyOffset();
            port.write(Register.QUEUE_SELECT, selected);
            port.notifyQueue(offset);
        } else {
            port.notifyQueue(0);
        }
    }

    @Override
    void leave() {
        reset();
    }
}
