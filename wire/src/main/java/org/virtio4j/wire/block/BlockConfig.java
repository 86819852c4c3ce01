// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.block;

/**
 * Configuration space of the block device (virtio 1.4, section 5.2.4). Only {@link #WRITEBACK} is writable. Each field
 * but the capacity means something only with its feature bit.
 *
 * <pre>
 *      byte 0            1           2           4                       8
 *    0 +---------------------------------------------------------------+
 *      | capacity                                                      |
 *    8 +---------------------------------------+-----------------------+
 *      | size_max                              | seg_max               |
 *   16 +---------------------------------------+-----------------------+
 *      | geometry                              | blk_size              |
 *   24 +---------------------------------------+-----------------------+
 *      | topology                                                      |
 *   32 +-----------+-----------+---------------+-----------------------+
 *      | writeback | unused0   | num_queues    | max_discard_sectors   |
 *   40 +-----------+-----------+---------------+-----------------------+
 *      | max_discard_seg                       | discard_sector_align. |
 *   48 +---------------------------------------+-----------------------+
 *      | max_write_zeroes_sectors              | max_write_zeroes_seg  |
 *   56 +-----------+---------------------------+-----------------------+
 *      | may_unmap | unused1                   | secure erase, zones   |
 *   64 +-----------+---------------------------+                       |
 *      | ...                                                           |
 *   96 +---------------------------------------------------------------+
 * </pre>
 */
public final class BlockConfig {
    /** Offset of the 8-byte length of the disk in sectors of {@link #SECTOR_SIZE}. */
    public static final long CAPACITY = 0;
    /** Offset of the 4-byte longest segment in bytes; needs {@link BlockFeature#SIZE_MAX}. */
    public static final long SIZE_MAX = 8;
    /** Offset of the 4-byte largest number of segments; needs {@link BlockFeature#SEG_MAX}. */
    public static final long SEG_MAX = 12;
    /** Offset of cylinders (2 bytes), heads and sectors (1 byte each); needs {@link BlockFeature#GEOMETRY}. */
    public static final long GEOMETRY = 16;
    /** Offset of the 4-byte optimal block size in bytes; needs {@link BlockFeature#BLK_SIZE}. */
    public static final long BLK_SIZE = 20;
    /** Offset of the 8-byte topology; needs {@link BlockFeature#TOPOLOGY}. */
    public static final long TOPOLOGY = 24;
    /** Offset of the byte that is {@link #WRITE_BACK} or {@link #WRITE_THROUGH}; needs CONFIG_WCE. */
    public static final long WRITEBACK = 32;
    /** Offset of the 2-byte number of queues; needs {@link BlockFeature#MQ}. */
    public static final long NUM_QUEUES = 34;
    /** Offset of the 4-byte most sectors of one discarded segment; needs {@link BlockFeature#DISCARD}. */
    public static final long MAX_DISCARD_SECTORS = 36;
    /** Offset of the 4-byte most segments of one DISCARD. */
    public static final long MAX_DISCARD_SEG = 40;
    /** Offset of the 4-byte alignment, in sectors, at which a DISCARD is best split. */
    public static final long DISCARD_SECTOR_ALIGNMENT = 44;
    /** Offset of the 4-byte most sectors of one zeroed segment; needs {@link BlockFeature#WRITE_ZEROES}. */
    public static final long MAX_WRITE_ZEROES_SECTORS = 48;
    /** Offset of the 4-byte most segments of one WRITE_ZEROES. */
    public static final long MAX_WRITE_ZEROES_SEG = 52;
    /** Offset of the byte that is 1 if WRITE_ZEROES may give storage back. */
    public static final long WRITE_ZEROES_MAY_UNMAP = 56;
    /** Offset of the 4-byte most sectors of one erased segment; needs {@link BlockFeature#SECURE_ERASE}. */
    public static final long MAX_SECURE_ERASE_SECTORS = 60;
    /** Offset of the 4-byte most segments of one SECURE_ERASE. */
    public static final long MAX_SECURE_ERASE_SEG = 64;
    /** Offset of the 4-byte alignment, in sectors, of a SECURE_ERASE. */
    public static final long SECURE_ERASE_SECTOR_ALIGNMENT = 68;
    /** Offset of the 24 bytes that describe zones; needs {@link BlockFeature#ZONED}. */
    public static final long ZONED = 72;
    /** Bytes of the whole structure. */
    public static final long SIZE = 96;

    /** Bytes of a sector, the unit of all sector numbers and counts, whatever the block size. */
    public static final int SECTOR_SIZE = 512;

    /** Value of the cache mode: a write is stable once it is completed. */
    public static final int WRITE_THROUGH = 0;
    /** Value of the cache mode: a write is stable once a FLUSH after it is completed. */
    public static final int WRITE_BACK = 1;

    private BlockConfig() {
    }
}
