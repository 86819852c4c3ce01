// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving.watch;

import java.util.List;
import java.util.Locale;
import java.util.function.LongSupplier;
import java.util.stream.Stream;
import org.virtio4j.iommu.embedder.IommuListener;

/**
 * Measures how long an IOMMU takes from a doorbell message to the store of the used index, separately for batches of
 * different lengths. Only the first batch after a message counts: the requests of a later batch came after the message.
 *
 * <p>The socket's thread serves the requests and reports both events; any thread may ask for the report.
 */
public final class DoorbellLatency implements IommuListener {

    private final LongSupplier nanoTime;

    /** The one at n is for batches of 2^n requests and more, below 2^(n + 1). */
    private final Group[] groups = Stream.generate(Group::new).limit(Integer.SIZE - 1).toArray(Group[]::new);
    private long since;
    private boolean waiting;

    /** The clock counts nanoseconds from any point. */
    public DoorbellLatency(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    /** A message has come, which may be a doorbell. */
    public void received() {
        since = nanoTime.getAsLong();
        waiting = true;
    }

    @Override
    public void batchPublished(int requests) {
        if (waiting) {
            waiting = false;
            groups[group(requests)].record(requests, nanoTime.getAsLong() - since);
        }
    }

    /** A line for single requests, and one for the longest batches there were. */
    public List<String> report() {
        Group last = groups[0];
        for (Group group : groups) {
            last = group.isEmpty() ? last : group;
        }
        return Stream.of(groups[0], last).distinct().filter(group -> !group.isEmpty()).map(Group::line).toList();
    }

    private static int group(int requests) {
        return Integer.SIZE - 1 - Integer.numberOfLeadingZeros(requests);
    }

    /** Batches of about the same length. */
    private static final class Group {

        private static final double MEDIAN = 0.5;
        private static final double NEARLY_ALL = 0.99;
        private static final double NANOS_PER_MICRO = 1e3;

        private final LatencyHistogram histogram = new LatencyHistogram();

        /** The lengths that there were: stored before the duration is, so that a reader of the histogram sees them. */
        private int shortest = Integer.MAX_VALUE;
        private int longest;

        void record(int requests, long nanos) {
            shortest = Math.min(shortest, requests);
            longest = Math.max(longest, requests);
            histogram.record(nanos);
        }

        boolean isEmpty() {
            return histogram.count() == 0;
        }

        String line() {
            return String.format(Locale.ROOT,
                    "doorbell to answer: median %.1f µs, 99th percentile %.1f µs, of %,d batches of %s",
                    histogram.percentile(MEDIAN) / NANOS_PER_MICRO, histogram.percentile(NEARLY_ALL) / NANOS_PER_MICRO,
                    histogram.count(), lengths());
        }

        private String lengths() {
            if (shortest == longest) {
                return longest == 1 ? "1 request" : longest + " requests";
            }
            return shortest + " to " + longest + " requests";
        }
    }
}
