// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;
import org.virtio4j.dma.DmaResult;

/**
 * What a {@link VirtioConsole} has done since it was made; resets do not clear it. Any thread may read, at any time;
 * the numbers only grow.
 */
public final class ConsoleCounters {

    private final AtomicLong outputBuffers = new AtomicLong();
    private final AtomicLong outputBytes = new AtomicLong();
    private final AtomicLong inputBuffers = new AtomicLong();
    private final AtomicLong inputBytes = new AtomicLong();
    private final AtomicLong outputFaults = new AtomicLong();
    private final AtomicLong inputFaults = new AtomicLong();

    ConsoleCounters() {
    }

    /**
     * Buffers of the driver that were put out.
     *
     * @return a count
     */
    public long outputBuffers() {
        return outputBuffers.get();
    }

    /**
     * Bytes that the terminal has taken.
     *
     * @return bytes
     */
    public long outputBytes() {
        return outputBytes.get();
    }

    /**
     * Buffers of the driver that were filled with input.
     *
     * @return a count
     */
    public long inputBuffers() {
        return inputBuffers.get();
    }

    /**
     * Bytes of input that were written to them.
     *
     * @return bytes
     */
    public long inputBytes() {
        return inputBytes.get();
    }

    /**
     * Buffers of the driver that led nowhere, in both directions.
     *
     * @return a count
     */
    public long faults() {
        return outputFaults.get() + inputFaults.get();
    }

    /**
     * All of it on one line, for a log. Its form may change.
     *
     * @return words and numbers
     */
    @Override
    public String toString() {
        return String.format(Locale.ROOT, "output %,d buffers, %,d bytes, input %,d buffers, %,d bytes, %,d faults",
                outputBuffers(), outputBytes(), inputBuffers(), inputBytes(), faults());
    }

    /** A buffer is through. Only the thread that serves the queue of output counts this, and {@link #output}. */
    void outputEnded(DmaResult result) {
        if (result == DmaResult.OK) {
            add(outputBuffers, 1);
        } else if (result != DmaResult.CLOSED) {
            add(outputFaults, 1);
        }
    }

    void output(long bytes) {
        add(outputBytes, bytes);
    }

    /** Only the thread that serves the queue of input counts. */
    void input(DmaResult result, long bytes) {
        if (result == DmaResult.OK) {
            add(inputBuffers, 1);
            add(inputBytes, bytes);
        } else if (result != DmaResult.CLOSED) {
            add(inputFaults, 1);
        }
    }

    private static void add(AtomicLong counter, long more) {
        counter.setRelease(counter.getPlain() + more);
    }
}
