// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.drivers;

import static org.junit.jupiter.api.Assertions.assertEquals;

/** Notifies at the number of the queue, whatever the device says the place is, and reads no size back. */
final class IpxeDriver extends FieldDriver {

    private static final int WANTED = 64;

    IpxeDriver(FieldGuest guest) {
        super(guest);
    }

    @Override
    void start() {
        reset();
        awaitReset();
        report(ACKNOWLEDGE);
        report(ACKNOWLEDGE | DRIVER);
        accept();
        report(ACKNOWLEDGE | DRIVER | FEATURES_OK);
        writeSize(layRing(Math.min(guest.sizeMax(), WANTED), FieldGuest.PAGE).size());
        placeRing();
        enable(1);
        report(ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK);
    }

    private void report(int status) {
        status(status);
        assertEquals(status, status());
    }

    @Override
    void leave() {
        reset();
        awaitReset();
    }
}
