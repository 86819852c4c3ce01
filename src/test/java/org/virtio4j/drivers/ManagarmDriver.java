// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.drivers;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.virtio4j.transport.Register;
import org.virtio4j.wire.FeatureBit;

/** Insists that its reset is complete at once, writes no queue size, and maps queue and configuration to vector 0. */
final class ManagarmDriver extends FieldDriver {

    ManagarmDriver(FieldGuest guest) {
        super(guest);
    }

    @Override
    void start() {
        reset();
        assertEquals(0, status());
        add(ACKNOWLEDGE);
        add(DRIVER);
        int word = FeatureBit.VERSION_1 / Integer.SIZE;
        int accepted = mask(word, FeatureBit.VERSION_1) & offered(word);
        port.write(Register.DRIVER_FEATURE_SELECT, word);
        port.write(Register.DRIVER_FEATURE, accepted);
        add(FEATURES_OK);
        assertFeaturesOk();
        port.write(Register.QUEUE_SELECT, 0);
        layRing(guest.sizeMax(), Integer.BYTES);
        guest.notifyOffset();
        placeRing();
        assertEquals(0, guest.vector(0));
        enable(1);
        add(DRIVER_OK);
    }

    /** Looks at the interrupt status whether or not messages tell it. */
    @Override
    void served() {
        guest.acknowledge(guest.isr());
    }

    @Override
    void leave() {
        reset();
    }
}
