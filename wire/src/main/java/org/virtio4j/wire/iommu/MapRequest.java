// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.iommu;

/**
 * Readable part of a MAP request (virtio 1.4, section 5.13.6.5); a {@link RequestTail} is its writable part.
 *
 * <pre>
 *   byte 0      4        8            16         24           32      36
 *        +------+--------+------------+----------+------------+-------+
 *        | head | domain | virt_start | virt_end | phys_start | flags |
 *        +------+--------+------------+----------+------------+-------+
 * </pre>
 */
public final class MapRequest {
    /** Offset of the 4-byte number of the domain. */
    public static final long DOMAIN = 4;
    /** Offset of the 8-byte first I/O virtual address. */
    public static final long VIRT_START = 8;
    /** Offset of the 8-byte last I/O virtual address, inclusive. */
    public static final long VIRT_END = 16;
    /** Offset of the 8-byte guest-physical address that the first I/O virtual address stands for. */
    public static final long PHYS_START = 24;
    /** Offset of the 4-byte flags: an OR of {@link #FLAG_READ}, {@link #FLAG_WRITE} and {@link #FLAG_MMIO}. */
    public static final long FLAGS = 32;
    /** Bytes of the readable part. */
    public static final long SIZE = 36;

    /** Endpoints may read the range. */
    public static final int FLAG_READ = 1;
    /** Endpoints may write the range. */
    public static final int FLAG_WRITE = 2;
    /** The range is memory-mapped I/O; needs {@link IommuFeature#MMIO}. */
    public static final int FLAG_MMIO = 4;

    private MapRequest() {
    }
}
