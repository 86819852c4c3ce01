// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.os;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Frees threads that wait in a write to an eventfd. Whether such a write may wait is a flag of the eventfd, not of this
 * process's descriptor. So the process that sent it can take {@code O_NONBLOCK} back and fill the counter at any
 * moment, also between two calls of this process. Once in a second a thread of this guard looks at all eventfds in
 * which somebody is at work, and empties those that are full. That adds at most a second to a write, and nothing at all
 * to what it costs.
 *
 * <p>Each user of eventfds, such as a vfio-user socket, has a guard of its own. Its thread runs as long as there are
 * eventfds to look after. Any thread may call any method.
 */
public final class SignalGuard {

    private static final long PERIOD = TimeUnit.SECONDS.toNanos(1);

    private final ReentrantLock lock = new ReentrantLock();
    private final Set<Descriptor> watched = new HashSet<>();
    private @Nullable Thread thread;

    /** A guard that looks after nothing, and has no thread. */
    public SignalGuard() {
    }

    /** Begins to look after an eventfd, if the C library is new enough to read it without waiting. */
    void watch(Descriptor eventfd) {
        if (!Needed.AVAILABLE) {
            return;
        }
        lock.lock();
        try {
            watched.add(eventfd);
            if (thread == null) {
                thread = Thread.ofPlatform().daemon().name("virtio4j eventfds").start(this::run);
            }
        } finally {
            lock.unlock();
        }
    }

    /** Ends that; nobody is at work in the eventfd any more. */
    void unwatch(Descriptor eventfd) {
        lock.lock();
        try {
            watched.remove(eventfd);
            if (watched.isEmpty()) {
                LockSupport.unpark(thread);
            }
        } finally {
            lock.unlock();
        }
    }

    private void run() {
        while (look()) {
            LockSupport.parkNanos(PERIOD);
        }
    }

    /** Returns false when there is nothing more to look after, and this thread ends. */
    private boolean look() {
        lock.lock();
        try {
            // A copy, because a descriptor whose last user has just left is removed during the walk.
            List.copyOf(watched).forEach(Descriptor::emptyIfFull);
            if (watched.isEmpty()) {
                thread = null;
            }
            return thread != null;
        } finally {
            lock.unlock();
        }
    }

    /** Looked up with the first eventfd, so that a program without native access never gets here. */
    private static final class Needed {

        static final boolean AVAILABLE = NativeCall.exists("preadv2");
    }
}
