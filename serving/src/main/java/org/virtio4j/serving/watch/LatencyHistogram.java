// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving.watch;

import java.util.concurrent.atomic.AtomicLongArray;

/**
 * How often which duration was measured. Each power of two is cut into {@value #STEPS} buckets of equal width, so a
 * bucket is no wider than a sixteenth of what it holds, and all durations there are fit into a few hundred buckets.
 *
 * <p>One thread records; any thread reads.
 */
final class LatencyHistogram {

    private static final int STEP_BITS = 4;
    private static final int STEPS = 1 << STEP_BITS;
    private static final int BUCKETS = (Long.SIZE - STEP_BITS) * STEPS;

    private final AtomicLongArray counts = new AtomicLongArray(BUCKETS);

    /** Counts one duration; a negative one counts as 0. */
    void record(long nanos) {
        int bucket = bucket(Math.max(0, nanos));
        counts.setRelease(bucket, counts.getPlain(bucket) + 1);
    }

    /** How many durations there are. */
    long count() {
        long sum = 0;
        for (int i = 0; i < BUCKETS; i++) {
            sum += counts.get(i);
        }
        return sum;
    }

    /**
     * A duration that so many of all are not longer than.
     *
     * @param share of all that are counted, above 0, up to 1
     * @return the longest of the bucket that is reached, in nanoseconds; 0 if nothing is counted
     */
    long percentile(double share) {
        long wanted = (long) Math.ceil(share * count());
        long seen = 0;
        for (int i = 0; i < BUCKETS; i++) {
            seen += counts.get(i);
            if (seen > 0 && seen >= wanted) {
                return longest(i);
            }
        }
        return 0;
    }

    /** Below {@link #STEPS} each number has its bucket; above, the bits behind the highest choose among the steps. */
    private static int bucket(long nanos) {
        int shift = shift(nanos);
        return (shift << STEP_BITS) + (int) (nanos >>> shift);
    }

    private static int shift(long nanos) {
        return Math.max(0, Long.SIZE - 1 - STEP_BITS - Long.numberOfLeadingZeros(nanos));
    }

    private static long longest(int bucket) {
        if (bucket < 2 * STEPS) {
            return bucket;
        }
        int shift = (bucket >>> STEP_BITS) - 1;
        long step = bucket & (STEPS - 1);
        return ((STEPS + step + 1) << shift) - 1;
    }
}
