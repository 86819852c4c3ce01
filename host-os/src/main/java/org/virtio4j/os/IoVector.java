// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.os;

/**
 * {@code struct iovec} of Linux on 64-bit machines: one stretch of memory that a call reads or fills. Offsets and size
 * in bytes.
 *
 * <pre>
 *   0 base *   8 bytes
 * </pre>
 */
public final class IoVector {

    /** Offset of the address, 64 bits. */
    public static final long BASE = 0;
    /** Offset of the length, 64 bits. */
    public static final long LENGTH = 8;
    /** How long the structure is. */
    public static final long SIZE = 16;

    private IoVector() {
    }
}
