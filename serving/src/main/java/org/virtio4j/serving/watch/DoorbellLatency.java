// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving.watch;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.stream.Stream;
import org.HdrHistogram.AbstractHistogram;
import org.HdrHistogram.AtomicHistogram;
import org.virtio4j.iommu.embedder.IommuListener;

/**
 * Measures how long an IOMMU takes from a doorbell message to the store of the used index, separately for batches of
 * different lengths. Only the first batch after a message counts: the requests of a later batch came after the message.
 *
 * <p>The socket's thread serves the requests and reports both events; it allocates nothing here and waits for nobody.
 * Any thread may ask for the report.
 */
public final class DoorbellLatency implements IommuListener {

    /** A queue has at most 2^15 entries (virtio 1.3, 2.7), and a batch is of one queue. */
    private static final int GROUPS = 16;

    private final LongSupplier nanoTime;

    /** The one at n is for batches of 2^n requests and more, below 2^(n + 1). */
    private final Group[] groups = Stream.generate(Group::new).limit(GROUPS).toArray(Group[]::new);
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
        List<String> lines = new ArrayList<>();
        groups[0].addTo(lines);
        for (int i = GROUPS - 1; i > 0; i--) {
            if (groups[i].addTo(lines)) {
                break;
            }
        }
        return lines;
    }

    private static int group(int requests) {
        return Math.min(GROUPS - 1, Integer.SIZE - 1 - Integer.numberOfLeadingZeros(requests));
    }

    /** Batches of about the same length. */
    private static final class Group {

        private static final double MEDIAN = 50;
        private static final double NEARLY_ALL = 99;
        private static final double NANOS_PER_MICRO = 1e3;

        /** A longer duration counts as this one. */
        private static final long LONGEST_NANOS = TimeUnit.MINUTES.toNanos(1);

        /** A percentile is too long by a hundredth at most, so the printed tenth of a microsecond means something. */
        private static final int DIGITS = 2;

        /**
         * Of a fixed size, 30 KiB, so that recording never makes room. A reader copies it: a recorder with intervals
         * would need three of these, and would cost the recording thread two atomic additions as well.
         */
        private final AtomicHistogram histogram = new AtomicHistogram(LONGEST_NANOS, DIGITS);

        /** The lengths that there were: stored before the duration is, so that a reader of the histogram sees them. */
        private int shortest = Integer.MAX_VALUE;
        private int longest;

        void record(int requests, long nanos) {
            shortest = Math.min(shortest, requests);
            longest = Math.max(longest, requests);
            histogram.recordValue(Math.clamp(nanos, 0, LONGEST_NANOS));
        }

        /** Adds a line, if there is something to say. The copy's numbers fit each other, whatever is recorded now. */
        boolean addTo(List<String> lines) {
            AbstractHistogram copy = histogram.copy();
            boolean measured = copy.getTotalCount() > 0;
            if (measured) {
                lines.add(line(copy));
            }
            return measured;
        }

        private String line(AbstractHistogram durations) {
            return String.format(Locale.ROOT,
                    "doorbell to answer: median %.1f µs, 99th percentile %.1f µs, of %,d batches of %s",
                    durations.getValueAtPercentile(MEDIAN) / NANOS_PER_MICRO,
                    durations.getValueAtPercentile(NEARLY_ALL) / NANOS_PER_MICRO, durations.getTotalCount(), lengths());
        }

        private String lengths() {
            if (shortest == longest) {
                return longest == 1 ? "1 request" : longest + " requests";
            }
            return shortest + " to " + longest + " requests";
        }
    }
}
