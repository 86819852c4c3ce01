// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.console;

/** Indexes of the queues of the console device's first port, which always exist (virtio 1.4, section 5.3.2). */
public final class ConsoleQueue {
    /** What the device sends to the driver: {@code receiveq(port0)}. */
    public static final int RECEIVE = 0;
    /** What the driver sends to the device: {@code transmitq(port0)}. */
    public static final int TRANSMIT = 1;

    private ConsoleQueue() {
    }
}
