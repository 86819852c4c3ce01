// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.pci;

/**
 * The byte that says why the function's pin is high (virtio 1.4, section 4.1.4.5). Reading it makes it 0 and the pin
 * low.
 *
 * <pre>
 *   bit  7 .. 2   1        0
 *       +-------+--------+-------+
 *       |   -   | CONFIG | QUEUE |
 *       +-------+--------+-------+
 * </pre>
 */
public final class IsrStatus {
    /** The device has used buffers. */
    public static final int QUEUE = 1;
    /** The configuration or the device status has changed. */
    public static final int CONFIG = 2;
    /** Bytes of the structure. */
    public static final long SIZE = 1;

    private IsrStatus() {
    }
}
