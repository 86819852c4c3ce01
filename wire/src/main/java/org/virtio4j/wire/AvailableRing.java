// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire;

/**
 * The part of a split virtqueue that the driver writes and the device reads (virtio 1.4, section 2.7.6), for a queue
 * of n entries.
 *
 * <pre>
 *   byte 0       2       4                        4 + 2n       6 + 2n
 *        +-------+-------+-------+-- ... --+-------+------------+
 *        | flags | idx   | ring[0]   ring[n - 1]   | used_event |
 *        +-------+-------+-------+-- ... --+-------+------------+
 * </pre>
 */
public final class AvailableRing {
    /** Offset of the 2-byte flags: 0 or {@link #FLAG_NO_INTERRUPT}. */
    public static final long FLAGS = 0;
    /** Offset of the 2-byte index of the next entry the driver will write, counted modulo 65,536. */
    public static final long IDX = 2;
    /** Offset of the first entry; each names the head of a descriptor chain. */
    public static final long RING = 4;
    /** Bytes that one entry takes. */
    public static final long ENTRY_SIZE = 2;
    /** Alignment in bytes that the driver gives this part. */
    public static final long ALIGNMENT = 2;

    /**
     * The driver asks for no used buffer notification (section 2.7.7); ignored once
     * {@link FeatureBit#EVENT_IDX} is negotiated.
     */
    public static final int FLAG_NO_INTERRUPT = 1;

    private AvailableRing() {
    }

    /**
     * Offset of the 2-byte {@code used_event} field (section 2.7.7), which only counts with
     * {@link FeatureBit#EVENT_IDX}. May be called from any thread.
     *
     * @param queueSize entries of the queue, 1 to {@link VirtqueueLimit#MAX_SIZE}; not checked
     * @return offset in bytes from the start of the available ring
     */
    public static long usedEvent(int queueSize) {
        return RING + ENTRY_SIZE * queueSize;
    }

    /**
     * Bytes from {@code flags} up to and including {@code used_event}. May be called from any thread.
     *
     * @param queueSize entries of the queue, 1 to {@link VirtqueueLimit#MAX_SIZE}; not checked
     * @return size in bytes
     */
    public static long size(int queueSize) {
        return usedEvent(queueSize) + 2;
    }
}
