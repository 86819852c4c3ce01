// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.queue;

/**
 * Which heads of a split ring the device holds: a driver that makes one of them available again has lost its
 * bookkeeping.
 */
final class InFlight {

    private static final int INDEX_SHIFT = 6;

    private final long[] words;
    private int count;

    InFlight(int queueSize) {
        words = new long[(queueSize + Long.SIZE - 1) / Long.SIZE];
    }

    /** Marks a head; false if it was marked. */
    boolean add(int head) {
        long bit = 1L << head;
        int index = head >>> INDEX_SHIFT;
        if ((words[index] & bit) != 0) {
            return false;
        }
        words[index] |= bit;
        count++;
        return true;
    }

    void remove(int head) {
        words[head >>> INDEX_SHIFT] &= ~(1L << head);
        count--;
    }

    int count() {
        return count;
    }
}
