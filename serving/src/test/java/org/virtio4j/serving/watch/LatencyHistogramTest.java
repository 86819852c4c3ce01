// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving.watch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Percentiles are those of the sorted durations, rounded up by a sixteenth at most. */
class LatencyHistogramTest {

    private final LatencyHistogram histogram = new LatencyHistogram();

    @Test
    void shouldHaveNoPercentileWithoutADuration() {
        assertEquals(0, histogram.count());
        assertEquals(0, histogram.percentile(0.5));
    }

    @Test
    void shouldTellShortDurationsExactly() {
        for (long nanos = 0; nanos < 32; nanos++) {
            LatencyHistogram one = new LatencyHistogram();
            one.record(nanos);
            assertEquals(nanos, one.percentile(0.5));
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {32, 33, 63, 64, 1_000_000, (1L << 40) - 1, 1L << 40, Long.MAX_VALUE})
    void shouldRoundUpByASixteenthAtMost(long nanos) {
        histogram.record(nanos);
        long told = histogram.percentile(1);
        assertTrue(told >= nanos && told - nanos <= nanos / 16, () -> told + " for " + nanos);
    }

    @Test
    void shouldCountNegativeDurationsAsNone() {
        histogram.record(-5);
        assertEquals(1, histogram.count());
        assertEquals(0, histogram.percentile(1));
    }

    @Test
    void shouldAgreeWithSortedDurations() {
        SplittableRandom random = new SplittableRandom(4);
        long[] all = new long[10_000];
        for (int i = 0; i < all.length; i++) {
            all[i] = random.nextLong(1L << random.nextInt(1, 40));
            histogram.record(all[i]);
        }
        Arrays.sort(all);
        assertEquals(all.length, histogram.count());
        for (double share : new double[] {0.001, 0.25, 0.5, 0.99, 0.999, 1}) {
            long exact = all[(int) Math.ceil(share * all.length) - 1];
            long told = histogram.percentile(share);
            assertTrue(told >= exact && told - exact <= exact / 16, () -> told + " for " + exact + " at " + share);
        }
    }
}
