// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The numbers of {@code DEVICE_SET_IRQS}, written down a second time, and what its eventfds were signalled. */
final class SetIrqs {

    static final int PIN = 0;
    static final int MSI = 1;
    static final int MSIX = 2;

    static final int NONE = 1;
    static final int BOOL = 2;
    static final int EVENTFD = 4;
    static final int MASK = 8;
    static final int UNMASK = 16;
    static final int TRIGGER = 32;

    private SetIrqs() {
    }

    /** How often an eventfd was signalled since the last call. */
    static long count(int eventfd) {
        byte[] counter = Libc.read(eventfd, 8);
        return counter.length == 0 ? 0 : ByteBuffer.wrap(counter).order(ByteOrder.LITTLE_ENDIAN).getLong();
    }
}
