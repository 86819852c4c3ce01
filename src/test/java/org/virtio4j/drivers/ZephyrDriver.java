// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.drivers;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.virtio4j.fixture.DriverRing;
import org.virtio4j.transport.Register;
import org.virtio4j.wire.FeatureBit;
import org.virtio4j.wire.block.BlockConfig;
import org.virtio4j.wire.block.BlockFeature;

/** Accepts bit by bit, reads 8 bytes of the configuration at once, and chains its descriptors backwards. */
final class ZephyrDriver extends FieldDriver {

    private static final int SIZE = 16;

    private int shadow;

    ZephyrDriver(FieldGuest guest) {
        super(guest);
    }

    @Override
    void start() {
        reset();
        awaitReset();
        add(ACKNOWLEDGE);
        add(DRIVER);
        for (int word = 3; word >= 0; word--) {
            offered(word);
        }
        shadow = 0;
        acceptBit(FeatureBit.VERSION_1);
        acceptBit(BlockFeature.BLK_SIZE);
        acceptBit(BlockFeature.FLUSH);
        add(FEATURES_OK);
        assertFeaturesOk();
        writeSize(layRing(SIZE, Integer.BYTES).size());
        placeRing();
        assertEquals(NO_VECTOR, guest.vector(NO_VECTOR));
        enable(1);
        add(DRIVER_OK);
    }

    /** What it has accepted so far is in the register, or in a variable of its own where that cannot be read. */
    private void acceptBit(int bit) {
        int word = bit / Integer.SIZE;
        int accepted = mask(word, bit) & offered(word);
        port.write(Register.DRIVER_FEATURE_SELECT, word);
        if (guest.isPci()) {
            accepted |= (int) port.read(Register.DRIVER_FEATURE);
        } else if (word == 0) {
            shadow |= accepted;
            accepted = shadow;
        }
        port.write(Register.DRIVER_FEATURE, Integer.toUnsignedLong(accepted));
    }

    @Override
    long capacity() {
        return port.readConfig(BlockConfig.CAPACITY, Long.BYTES);
    }

    @Override
    int head(int length) {
        return SIZE - 1;
    }

    @Override
    void lay(int head, DriverRing.Buffer... chain) {
        for (int i = 0; i < chain.length; i++) {
            boolean last = i == chain.length - 1;
            ring().descriptor(head - i, last ? chain[i] : chain[i].next(head - i - 1));
        }
    }

    @Override
    void served() {
        guest.acknowledge(guest.isr());
    }

    /** As where its set-up fails: it disables the queue, and resets the device when it tries again. */
    @Override
    void leave() {
        enable(0);
    }
}
