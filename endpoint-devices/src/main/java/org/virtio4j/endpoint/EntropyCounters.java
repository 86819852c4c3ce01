// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What a {@link VirtioEntropy} has done since it was made; resets do not clear it. Any thread may read, at any time;
 * the numbers only grow.
 */
public final class EntropyCounters {

    private final AtomicLong buffers = new AtomicLong();
    private final AtomicLong bytes = new AtomicLong();

    EntropyCounters() {
    }

    /**
     * Buffers that were filled.
     *
     * @return a count
     */
    public long buffers() {
        return buffers.get();
    }

    /**
     * Random bytes that were written to them.
     *
     * @return bytes
     */
    public long bytes() {
        return bytes.get();
    }

    /**
     * All of it on one line, for a log. Its form may change.
     *
     * @return words and numbers
     */
    @Override
    public String toString() {
        return String.format(Locale.ROOT, "%,d buffers, %,d bytes", buffers(), bytes());
    }

    /** Only the thread that serves the queue counts. */
    void filled(long length) {
        buffers.setRelease(buffers.getPlain() + 1);
        bytes.setRelease(bytes.getPlain() + length);
    }
}
