// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.request;

import java.util.function.LongSupplier;

/**
 * Decides whether to look for another request before the driver is asked to notify of it. A driver that wants no
 * interrupt for a batch is spinning, and asks for more as soon as it has its answers. Under the control lock.
 */
public final class Linger {

    private final long limitNanos;
    private final LongSupplier nanoTime;

    /** Whether the driver may be spinning for the answer to its last request, and since when it was looked for more. */
    private boolean lingering;
    private boolean timed;
    private long since;

    /**
     * Sets how long to look for more.
     *
     * @param limitNanos most nanoseconds after a batch; 0 for never, and then the clock is not read
     * @param nanoTime   a clock that counts nanoseconds, as {@link System#nanoTime}
     */
    public Linger(long limitNanos, LongSupplier nanoTime) {
        this.limitNanos = limitNanos;
        this.nanoTime = nanoTime;
    }

    /** Answers are about to be published. */
    void begin() {
        lingering = limitNanos != 0;
        timed = false;
    }

    /** They are, and it is known whether the driver wants to be interrupted for them. */
    void published(boolean interrupt) {
        lingering &= !interrupt;
        if (lingering) {
            timed = true;
            since = nanoTime.getAsLong();
        }
    }

    /** Whether to look again, after a look that found nothing. */
    boolean goesOn() {
        // Whether the driver wants an interrupt for the batch is known once that is visible.
        lingering = lingering && (!timed || nanoTime.getAsLong() - since < limitNanos);
        return lingering;
    }

    void end() {
        lingering = false;
    }
}
