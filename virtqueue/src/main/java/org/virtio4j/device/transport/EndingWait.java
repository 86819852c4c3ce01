// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device.transport;

import java.util.function.BooleanSupplier;
import org.virtio4j.device.DeviceListener;
import org.virtio4j.vmm.FirstFailure;
import org.virtio4j.vmm.grace.Backoff;

/**
 * One thread's wait for the end of what was stopped. What a device or a listener throws meanwhile is thrown when the
 * wait is over, because callers count on the end of the reset. If the device throws whenever it is asked, the wait ends
 * early.
 */
final class EndingWait {

    /** A wait of this length is reported, once. */
    private static final long REPORT_NANOS = 1_000_000_000;

    private static final int MOST_FAILURES = 2;

    private final DeviceListener listener;
    private final FirstFailure failure = new FirstFailure();
    private int failures;
    private boolean reported;

    EndingWait(DeviceListener listener) {
        this.listener = listener;
    }

    /** Asks again and again whether something is finished; under no lock, because it waits for threads at work. */
    boolean await(BooleanSupplier finished, long limitNanos) {
        long started = System.nanoTime();
        boolean over = false;
        boolean done = isDone(finished);
        for (int round = 0; !done && !over; round++) {
            long waited = System.nanoTime() - started;
            over = waited >= limitNanos || failures == MOST_FAILURES;
            if (waited >= limitNanos || waited >= REPORT_NANOS) {
                report(waited);
            }
            if (!over) {
                Backoff.pause(round);
                done = isDone(finished);
            }
        }
        failure.rethrow();
        return done;
    }

    private boolean isDone(BooleanSupplier finished) {
        try {
            return finished.getAsBoolean();
        } catch (RuntimeException | Error thrown) {
            failure.add(thrown);
            failures++;
            return false;
        }
    }

    private void report(long waited) {
        if (reported) {
            return;
        }
        reported = true;
        try {
            listener.resetDelayed(waited);
        } catch (RuntimeException | Error thrown) {
            failure.add(thrown);
        }
    }
}
