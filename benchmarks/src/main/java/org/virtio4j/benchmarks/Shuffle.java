// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks;

import java.util.SplittableRandom;

/** The order in which things are visited: random, so that no prefetcher guesses it, and the same in each run. */
public final class Shuffle {

    private static final long SEED = 1;

    private Shuffle() {
    }

    /** The numbers from 0 to {@code count} − 1, each once. */
    public static int[] order(int count) {
        SplittableRandom random = new SplittableRandom(SEED);
        int[] order = new int[count];
        for (int i = 0; i < count; i++) {
            int place = random.nextInt(i + 1);
            order[i] = order[place];
            order[place] = i;
        }
        return order;
    }
}
