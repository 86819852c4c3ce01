// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire;

/**
 * The part of a split virtqueue that the device writes and the driver reads (virtio 1.4, section 2.7.8), for a queue
 * of n entries.
 *
 * <pre>
 *   byte 0       2       4                          4 + 8n        6 + 8n
 *        +-------+-------+---------+-- ... --+---------+-------------+
 *        | flags | idx   | ring[0]     ring[n - 1]     | avail_event |
 *        +-------+-------+---------+-- ... --+---------+-------------+
 *
 *   one element of ring:
 *   byte 0           4           8
 *        +-----------+-----------+
 *        | id        | len       |
 *        +-----------+-----------+
 * </pre>
 */
public final class UsedRing {
    /** Offset of the 2-byte flags: 0 or {@link #FLAG_NO_NOTIFY}. */
    public static final long FLAGS = 0;
    /** Offset of the 2-byte index of the next element the device will write, counted modulo 65,536. */
    public static final long IDX = 2;
    /** Offset of the first element. */
    public static final long RING = 4;
    /** Bytes that one element takes. */
    public static final long ELEMENT_SIZE = 8;
    /** Offset inside an element of the 4-byte index of the chain's head descriptor. */
    public static final long ELEMENT_ID = 0;
    /** Offset inside an element of the 4-byte number of bytes the device wrote into the chain's writable part. */
    public static final long ELEMENT_LEN = 4;
    /** Alignment in bytes that the driver gives this part. */
    public static final long ALIGNMENT = 4;

    /**
     * The device asks for no available buffer notification (section 2.7.10); stays 0 once
     * {@link FeatureBit#EVENT_IDX} is negotiated.
     */
    public static final int FLAG_NO_NOTIFY = 1;

    private UsedRing() {
    }

    /**
     * Offset of the 2-byte {@code avail_event} field (section 2.7.10), which only counts with
     * {@link FeatureBit#EVENT_IDX}. May be called from any thread.
     *
     * @param queueSize entries of the queue, 1 to {@link VirtqueueLimit#MAX_SIZE}; not checked
     * @return offset in bytes from the start of the used ring
     */
    public static long availEvent(int queueSize) {
        return RING + ELEMENT_SIZE * queueSize;
    }

    /**
     * Bytes from {@code flags} up to and including {@code avail_event}. May be called from any thread.
     *
     * @param queueSize entries of the queue, 1 to {@link VirtqueueLimit#MAX_SIZE}; not checked
     * @return size in bytes
     */
    public static long size(int queueSize) {
        return availEvent(queueSize) + 2;
    }
}
