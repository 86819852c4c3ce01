// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.peers.input;

import java.util.Arrays;

/** What one table is asked for, one step after the other, as it grows. */
final class TableSteps {

    private long[] words = new long[1 << 10];
    private int length;
    private long live;
    private long mostLive;

    void map(long first, long last, long physical) {
        add(Keys.MAP, first, last, physical);
        live++;
        mostLive = Math.max(mostLive, live);
    }

    /** Takes so many mappings away. */
    void unmap(long first, long last, long removed) {
        add(Keys.UNMAP, first, last, 0);
        live -= removed;
    }

    /** Takes all of them away. */
    void unmapAll() {
        unmap(0, Long.MAX_VALUE, live);
    }

    void translate(long address) {
        add(Keys.TRANSLATE, address, 0, 0);
    }

    int count() {
        return length / Keys.WORDS_OF_STEP;
    }

    /** Most mappings at a time. */
    long mostLive() {
        return mostLive;
    }

    /** As {@link KeyFile} has them. */
    long[] words() {
        return Arrays.copyOf(words, length);
    }

    private void add(long... step) {
        if (length + step.length > words.length) {
            words = Arrays.copyOf(words, 2 * words.length);
        }
        System.arraycopy(step, 0, words, length, step.length);
        length += step.length;
    }
}
