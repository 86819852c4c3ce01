// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import java.util.Locale;
import java.util.concurrent.atomic.AtomicLongArray;
import org.virtio4j.wire.block.RequestType;

/**
 * What a {@link VirtioBlock} has done since it was made; resets do not clear it. Any thread may read, at any time; the
 * numbers only grow.
 */
public final class BlockCounters {

    /** A place for each type up to the last one, and one for all others. */
    private static final int TYPES = RequestType.SECURE_ERASE + 2;
    private static final int OUTCOMES = TYPES;
    private static final int READ = OUTCOMES + BlockOutcome.values().length;
    private static final int WRITTEN = READ + 1;
    private static final int UNWRITABLE = READ + 2;

    private final OfQueue[] queues;
    private volatile String lastFileError = "";

    BlockCounters(int queueCount) {
        queues = new OfQueue[queueCount];
        for (int i = 0; i < queueCount; i++) {
            queues[i] = new OfQueue();
        }
    }

    /**
     * Requests of one type that went back to the driver, whatever became of them.
     *
     * @param type one of {@link RequestType}; all numbers above them are counted together
     * @return a count
     */
    public long requests(int type) {
        return sum(typeIndex(type));
    }

    /**
     * Requests that ended in one way.
     *
     * @param outcome which way
     * @return a count
     */
    public long outcomes(BlockOutcome outcome) {
        return sum(outcomeIndex(outcome));
    }

    /**
     * Data that was read from the disk for successful requests.
     *
     * @return bytes
     */
    public long bytesRead() {
        return sum(READ);
    }

    /**
     * Data that was written to the disk by successful requests, without what WRITE_ZEROES writes.
     *
     * @return bytes
     */
    public long bytesWritten() {
        return sum(WRITTEN);
    }

    /**
     * Requests that were carried out, but whose status could not be written where the driver wanted it.
     *
     * @return a count
     */
    public long unwritableStatuses() {
        return sum(UNWRITABLE);
    }

    /**
     * What was said when a request ended with {@link BlockOutcome#FILE}, {@link BlockOutcome#OTHER_FILE} or {@link
     * BlockOutcome#UNSTABLE} for the last time.
     *
     * @return the exception's class and message; empty if there was none
     */
    public String lastFileError() {
        return lastFileError;
    }

    /**
     * All of it on one line, for a log. Its form may change.
     *
     * @return words and numbers
     */
    @Override
    public String toString() {
        StringBuilder line = new StringBuilder(String.format(Locale.ROOT,
                "IN %,d, OUT %,d, FLUSH %,d, DISCARD %,d, WRITE_ZEROES %,d; %,d bytes read, %,d written",
                requests(RequestType.IN), requests(RequestType.OUT), requests(RequestType.FLUSH),
                requests(RequestType.DISCARD), requests(RequestType.WRITE_ZEROES), bytesRead(), bytesWritten()));
        for (BlockOutcome outcome : BlockOutcome.values()) {
            if (outcome != BlockOutcome.OK && outcomes(outcome) != 0) {
                line.append(String.format(Locale.ROOT, ", %s %,d", outcome, outcomes(outcome)));
            }
        }
        if (unwritableStatuses() != 0) {
            line.append(String.format(Locale.ROOT, ", unwritable %,d", unwritableStatuses()));
        }
        String error = lastFileError();
        return error.isEmpty() ? line.toString() : line + "; last file error: " + error;
    }

    OfQueue queue(int index) {
        return queues[index];
    }

    private long sum(int index) {
        long sum = 0;
        for (OfQueue queue : queues) {
            sum += queue.counts.get(index);
        }
        return sum;
    }

    private static int typeIndex(int type) {
        return type >= 0 && type < TYPES ? type : TYPES - 1;
    }

    @SuppressWarnings("EnumOrdinal") // a place in an array that nobody else sees
    private static int outcomeIndex(BlockOutcome outcome) {
        return OUTCOMES + outcome.ordinal();
    }

    /** What one queue has done; only the thread that serves it counts. */
    final class OfQueue {

        private final AtomicLongArray counts = new AtomicLongArray(UNWRITABLE + 1);

        private OfQueue() {
        }

        void request(int type, BlockOutcome outcome) {
            increase(typeIndex(type), 1);
            increase(outcomeIndex(outcome), 1);
        }

        void read(long bytes) {
            increase(READ, bytes);
        }

        void written(long bytes) {
            increase(WRITTEN, bytes);
        }

        void unwritable() {
            increase(UNWRITABLE, 1);
        }

        void fileError(Exception failure) {
            lastFileError = failure.toString();
        }

        private void increase(int index, long by) {
            counts.setRelease(index, counts.getPlain(index) + by);
        }
    }
}
