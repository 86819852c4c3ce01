// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import org.virtio4j.fixture.DriverRing;
import org.virtio4j.fixture.DriverRing.Buffer;
import org.virtio4j.fixture.GuestBytes;

/** Requests as chains of three descriptors at most, at addresses that a test chooses; each begins a page. */
final class RawRequests {

    static final int STATUS = 16;
    static final int DATA = 64;

    private RawRequests() {
    }

    /** Offers a read of a disk; what the driver writes at a place, the device sees so many bytes further on. */
    static void read(DriverRing ring, int head, long at, long shift, int length) {
        GuestBytes ram = ring.ram();
        ram.fill(at, DATA, 0);
        ram.putU8(at + STATUS, DiskReply.UNTOUCHED);
        ring.chain(head, Buffer.readable(at + shift, 16), Buffer.writable(at + shift + DATA, length),
                Buffer.writable(at + shift + STATUS, 1));
        ring.offer(head);
    }
}
