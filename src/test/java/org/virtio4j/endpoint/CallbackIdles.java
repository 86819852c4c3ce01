// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** A worker's idling, and the way to wait until it has looked and found nothing. */
final class CallbackIdles {

    private final AtomicLong count = new AtomicLong();
    private volatile @Nullable Thread worker;

    /** The worker's: there was nothing to do. */
    void idle() {
        worker = Thread.currentThread();
        count.incrementAndGet();
        LockSupport.park(this);
    }

    /** Waits for two idles: the first may follow a look that began before. */
    void awaitIdle() {
        long before = count.get();
        CallbackTrap.until(() -> {
            LockSupport.unpark(worker);
            return count.get() - before > 1;
        });
    }
}
