// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving.watch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The printed percentiles are those of the sorted durations, rounded up by a hundredth at most. */
class DoorbellPercentileTest {

    private static final long MINUTE = 60_000_000_000L;
    private static final Pattern LINE =
            Pattern.compile("median (\\S+) µs, 99th percentile (\\S+) µs, of (\\S+) batches");

    /** Half of the last digit that is printed. */
    private static final double PRINTED = 50;

    private long now;
    private final DoorbellLatency latency = new DoorbellLatency(() -> now);

    @ParameterizedTest
    @ValueSource(longs = {0, 1, 100, 255, 256, 1_000, 65_535, 65_536, 1_000_000, (1L << 35) - 1, 1L << 35, MINUTE})
    void shouldRoundUpByAHundredthAtMost(long nanos) {
        batch(nanos);
        assertClose(nanos, nanos(1));
        assertClose(nanos, nanos(2));
    }

    /** The clock may be a thread's own, and so may go back. */
    @Test
    void shouldCountNegativeDurationsAsNone() {
        batch(-5);
        batch(Long.MIN_VALUE);
        assertEquals(2, count());
        assertClose(0, nanos(2));
    }

    @ParameterizedTest
    @ValueSource(longs = {MINUTE + 1, 2 * MINUTE, 1L << 62})
    void shouldCountLongDurationsAsAMinute(long nanos) {
        batch(nanos);
        assertEquals(1, count());
        assertClose(MINUTE, nanos(2));
    }

    @Test
    void shouldAgreeWithSortedDurations() {
        SplittableRandom random = new SplittableRandom(4);
        long[] all = new long[10_000];
        for (int i = 0; i < all.length; i++) {
            all[i] = random.nextLong(1L << random.nextInt(1, 36));
            batch(all[i]);
        }
        Arrays.sort(all);
        assertEquals(all.length, count());
        assertClose(all[all.length / 2 - 1], nanos(1));
        assertClose(all[all.length * 99 / 100 - 1], nanos(2));
    }

    private static void assertClose(long exact, double told) {
        assertTrue(told >= exact - PRINTED && told - exact <= exact / 100.0 + PRINTED, () -> told + " for " + exact);
    }

    private void batch(long nanos) {
        latency.received();
        now += nanos;
        latency.batchPublished(1);
    }

    private double nanos(int number) {
        return Double.parseDouble(line().group(number)) * 1_000;
    }

    private long count() {
        return Long.parseLong(line().group(3).replace(",", ""));
    }

    private MatchResult line() {
        return LINE.matcher(latency.report().getFirst()).results().findFirst().orElseThrow();
    }
}
