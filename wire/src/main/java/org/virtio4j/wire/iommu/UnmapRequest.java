// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.iommu;

/**
 * Readable part of an UNMAP request (virtio 1.4, section 5.13.6.6); a {@link RequestTail} is its writable part.
 *
 * <pre>
 *   byte 0      4        8            16         24         28
 *        +------+--------+------------+----------+----------+
 *        | head | domain | virt_start | virt_end | reserved |
 *        +------+--------+------------+----------+----------+
 * </pre>
 */
public final class UnmapRequest {
    /** Offset of the 4-byte number of the domain. */
    public static final long DOMAIN = 4;
    /** Offset of the 8-byte first I/O virtual address. */
    public static final long VIRT_START = 8;
    /** Offset of the 8-byte last I/O virtual address, inclusive. */
    public static final long VIRT_END = 16;
    /** Offset of four bytes for which the device may refuse the request unless they are zero. */
    public static final long RESERVED = 24;
    /** Bytes of the readable part. */
    public static final long SIZE = 28;

    private UnmapRequest() {
    }
}
