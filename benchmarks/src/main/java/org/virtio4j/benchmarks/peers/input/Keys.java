// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.peers.input;

/**
 * What every program does, in order. The arrays of a group are of one length.
 *
 * @param first     first address of each mapping that the table is filled with, in the order in which it is
 * @param last      its last address, inclusive
 * @param physical  where its first address leads
 * @param addresses what is looked up then
 * @param steps     what a table that was empty is asked for instead, in words as {@link KeyFile} has them
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
public record Keys(long[] first, long[] last, long[] physical, long[] addresses, long[] steps) {

    /** A MAP: of first to last, to physical. */
    public static final long MAP = 0;
    /** An UNMAP of first to last. */
    public static final long UNMAP = 1;
    /** A translation of first. */
    public static final long TRANSLATE = 2;
    public static final int WORDS_OF_STEP = 4;

    public int count() {
        return first.length;
    }

    public int stepCount() {
        return steps.length / WORDS_OF_STEP;
    }
}
