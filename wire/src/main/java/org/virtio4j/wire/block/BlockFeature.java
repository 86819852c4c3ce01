// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.block;

/** Numbers of the block device's own feature bits (virtio 1.4, section 5.2.3). */
public final class BlockFeature {
    /** The configuration space tells how long a single segment of a request may be. */
    public static final int SIZE_MAX = 1;
    /** The configuration space tells how many segments a request may have. */
    public static final int SEG_MAX = 2;
    /** The configuration space has a geometry of cylinders, heads and sectors. */
    public static final int GEOMETRY = 4;
    /** The disk cannot be written. */
    public static final int RO = 5;
    /** The configuration space tells the optimal size of a block. */
    public static final int BLK_SIZE = 6;
    /** {@link RequestType#FLUSH} is available. */
    public static final int FLUSH = 9;
    /** The configuration space tells how requests are best aligned. */
    public static final int TOPOLOGY = 10;
    /** The configuration space has a byte that chooses between a writeback and a writethrough cache. */
    public static final int CONFIG_WCE = 11;
    /** There are several request queues. */
    public static final int MQ = 12;
    /** {@link RequestType#DISCARD} is available. */
    public static final int DISCARD = 13;
    /** {@link RequestType#WRITE_ZEROES} is available. */
    public static final int WRITE_ZEROES = 14;
    /** {@link RequestType#GET_LIFETIME} is available. */
    public static final int LIFETIME = 15;
    /** {@link RequestType#SECURE_ERASE} is available. */
    public static final int SECURE_ERASE = 16;
    /** The disk has zones. */
    public static final int ZONED = 17;

    private BlockFeature() {
    }
}
