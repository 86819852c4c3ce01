// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving.watch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

/** From a message to the first batch after it, by a clock that the test turns. */
class DoorbellLatencyTest {

    private long now = 5_000_000;
    private final DoorbellLatency latency = new DoorbellLatency(() -> now);

    @Test
    void shouldSayNothingWithoutABatch() {
        latency.received();
        assertEquals(List.of(), latency.report());
    }

    @Test
    void shouldTellSingleRequestsFromTheLongestBatches() {
        for (int i = 1; i <= 100; i++) {
            batch(1, i == 100 ? 30_000 : 3_000);
            batch(2, 999);
        }
        batch(64, 20_000);
        assertEquals(List.of(
                "doorbell to answer: median 3.0 µs, 99th percentile 3.0 µs, of 100 batches of 1 request",
                "doorbell to answer: median 20.1 µs, 99th percentile 20.1 µs, of 1 batches of 64 requests"),
                latency.report());
    }

    @Test
    void shouldNameTheLengthsOfAGroup() {
        batch(35, 1_000);
        batch(60, 1_000);
        assertEquals(List.of("doorbell to answer: median 1.0 µs, 99th percentile 1.0 µs, of 2 batches of "
                + "35 to 60 requests"), latency.report());
    }

    @Test
    void shouldCountTheFirstBatchAfterAMessageOnly() {
        latency.received();
        now += 16;
        latency.batchPublished(1);
        now += 1_000_000;
        latency.batchPublished(1);
        assertEquals(List.of("doorbell to answer: median 0.0 µs, 99th percentile 0.0 µs, of 1 batches of 1 request"),
                latency.report());
    }

    /** A queue has at most 32,768 entries; a longer batch is counted with these. */
    @Test
    void shouldCountBatchesOfAnyLength() {
        batch(32_768, 1_000);
        batch(Integer.MAX_VALUE, 1_000);
        assertEquals(List.of("doorbell to answer: median 1.0 µs, 99th percentile 1.0 µs, of 2 batches of "
                + "32768 to 2147483647 requests"), latency.report());
    }

    @Test
    void shouldSayTheSameWhenAskedAgainAndGoOnCounting() {
        batch(1, 1_000);
        assertEquals(latency.report(), latency.report());
        batch(1, 1_000);
        assertTrue(latency.report().getFirst().endsWith("of 2 batches of 1 request"), latency.report().toString());
    }

    private void batch(int requests, long nanos) {
        latency.received();
        now += nanos;
        latency.batchPublished(requests);
    }
}
