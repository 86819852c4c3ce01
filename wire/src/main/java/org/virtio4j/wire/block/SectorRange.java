// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.block;

/**
 * One segment of a DISCARD or WRITE_ZEROES request, {@code struct virtio_blk_discard_write_zeroes} (virtio 1.4, section
 * 5.2.6). The data of a request is a run of these.
 *
 * <pre>
 *   byte 0        8             12      16
 *        +--------+-------------+-------+
 *        | sector | num_sectors | flags |
 *        +--------+-------------+-------+
 * </pre>
 */
public final class SectorRange {
    /** Offset of the 8-byte number of the first sector. */
    public static final long SECTOR = 0;
    /** Offset of the 4-byte number of sectors. */
    public static final long NUM_SECTORS = 8;
    /** Offset of the 4-byte flags; all but {@link #FLAG_UNMAP} are reserved. */
    public static final long FLAGS = 12;
    /** Bytes of one segment. */
    public static final long SIZE = 16;

    /** The device may give the storage of zeroed sectors back; not for DISCARD. */
    public static final int FLAG_UNMAP = 1;

    private SectorRange() {
    }
}
