// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vmm.grace;

import java.util.concurrent.locks.LockSupport;

/**
 * How a thread waits for another one that is usually done soon and does not say when it is: it spins first, then
 * yields, and later sleeps for short times.
 */
public final class Backoff {

    private static final int SPINS = 200;
    private static final int YIELDS = 200;
    private static final long NAP_NANOS = 20_000;

    private Backoff() {
    }

    /**
     * Lets a moment pass, between two looks at what is waited for. Any thread; never throws, and leaves the interrupt
     * flag as it is.
     *
     * @param round how many looks there were before, from 0
     */
    @SuppressWarnings("ThreadPriorityCheck") // correctness does not rest on the yield, only the length of the wait does
    public static void pause(int round) {
        if (round < SPINS) {
            Thread.onSpinWait();
        } else if (round < SPINS + YIELDS) {
            // With fewer processors than threads the other one may need this one to get on.
            Thread.yield();
        } else {
            LockSupport.parkNanos(NAP_NANOS);
        }
    }
}
