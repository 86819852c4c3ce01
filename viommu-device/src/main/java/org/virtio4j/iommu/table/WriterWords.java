// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.table;

/**
 * Numbers that the writer keeps changing, far enough from every other object that a processor that reads one of those
 * never waits for a line that holds these.
 */
final class WriterWords {

    /** Two cache lines, because processors fetch lines in pairs. */
    private static final int PADDING = 16;

    private final long[] words;

    WriterWords(int count) {
        words = new long[PADDING + count + PADDING];
    }

    long get(int index) {
        return words[PADDING + index];
    }

    void set(int index, long value) {
        words[PADDING + index] = value;
    }

    void add(int index, long value) {
        words[PADDING + index] += value;
    }
}
