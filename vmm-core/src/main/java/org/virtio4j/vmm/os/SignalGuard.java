// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vmm.os;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Frees threads that wait in a write to an eventfd. Whether such a write may wait is a flag of the eventfd, not of our
 * descriptor, so the process that sent it can take {@code O_NONBLOCK} back and fill the counter, at any moment, also
 * between two of our calls. So once in a second one thread looks at all eventfds in which somebody is at work, and
 * empties those that are full. That adds at most a second to a write, and nothing at all to what it costs.
 *
 * <p>The thread runs as long as there are eventfds.
 */
final class SignalGuard {

    private static final long PERIOD = TimeUnit.SECONDS.toNanos(1);

    private static final boolean AVAILABLE = NativeCall.exists("preadv2");

    private static final ReentrantLock LOCK = new ReentrantLock();
    private static final Set<Descriptor> WATCHED = new HashSet<>();
    private static @Nullable Thread thread;

    private SignalGuard() {
    }

    /** Begins to look after an eventfd, if the C library is new enough to read it without waiting. */
    static void watch(Descriptor eventfd) {
        if (!AVAILABLE) {
            return;
        }
        LOCK.lock();
        try {
            WATCHED.add(eventfd);
            if (thread == null) {
                thread = Thread.ofPlatform().daemon().name("virtio4j eventfds").start(SignalGuard::run);
            }
        } finally {
            LOCK.unlock();
        }
    }

    /** Ends it; nobody is at work in it any more. */
    static void forget(Descriptor eventfd) {
        LOCK.lock();
        try {
            WATCHED.remove(eventfd);
            if (WATCHED.isEmpty()) {
                LockSupport.unpark(thread);
            }
        } finally {
            LOCK.unlock();
        }
    }

    private static void run() {
        while (look()) {
            LockSupport.parkNanos(PERIOD);
        }
    }

    /** Returns false when there is nothing more to look after, and this thread ends. */
    private static boolean look() {
        LOCK.lock();
        try {
            // A copy, for whose last user has just left is forgotten on the way.
            List.copyOf(WATCHED).forEach(Descriptor::emptyIfFull);
            if (WATCHED.isEmpty()) {
                thread = null;
            }
            return thread != null;
        } finally {
            LOCK.unlock();
        }
    }
}
