// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving.watch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** What recording costs the socket's thread, and what another thread sees meanwhile. */
class DoorbellRecordingTest {

    private static final int BATCHES = 200_000;
    private static final int RUNS = 10;
    private static final Pattern SINGLE = Pattern.compile("percentile (\\S+) µs, of (\\S+) batches of 1 request$");

    private long now;
    private final DoorbellLatency latency = new DoorbellLatency(() -> now);

    /** All durations and lengths come up, so that each histogram would have grown if it could. */
    @Test
    void shouldAllocateNothing() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long least = Long.MAX_VALUE;
        for (int run = 0; run < RUNS && least != 0; run++) {
            DoorbellLatency fresh = new DoorbellLatency(() -> now);
            long before = threads.getCurrentThreadAllocatedBytes();
            record(fresh);
            // The first run loads classes, and compiling costs some bytes; one byte a batch would show each time.
            least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
        }
        assertEquals(0, least, "heap bytes for " + BATCHES + " batches");
    }

    private void record(DoorbellLatency target) {
        for (int i = 0; i < BATCHES; i++) {
            target.received();
            now += 1L << i % 40;
            target.batchPublished(1 << i % 16);
        }
    }

    /** Each report fits itself: no batch is counted before its duration is there. */
    @Test
    void shouldLoseNoBatchWhileAnotherThreadAsks() throws ExecutionException, InterruptedException {
        try (ExecutorService socket = Executors.newSingleThreadExecutor()) {
            Future<?> recorded = socket.submit(() -> {
                for (int i = 0; i < BATCHES; i++) {
                    latency.received();
                    now += 3_000;
                    latency.batchPublished(1);
                }
            });
            long seen = 0;
            while (!recorded.isDone()) {
                seen = assertFits(latency.report(), seen);
            }
            recorded.get();
        }
        assertEquals(BATCHES, assertFits(latency.report(), 0));
    }

    private static long assertFits(List<String> report, long least) {
        if (report.isEmpty()) {
            assertEquals(0, least);
            return 0;
        }
        Matcher line = SINGLE.matcher(report.getFirst());
        assertTrue(line.find(), report.toString());
        assertEquals("3.0", line.group(1));
        long count = Long.parseLong(line.group(2).replace(",", ""));
        assertTrue(count >= least, () -> count + " after " + least);
        return count;
    }
}
