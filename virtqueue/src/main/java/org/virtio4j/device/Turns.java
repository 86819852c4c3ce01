// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device;

import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.virtio4j.vmm.grace.Backoff;

/**
 * Whose turn it is to serve a queue. One thread has the turn at a time; a kick that finds another one serving is left
 * to that thread, which looks at {@link #isPending} before it goes. So no kick is lost, and hardly any waits.
 */
final class Turns {

    /** A thread serves. */
    private static final int SERVING = 1;
    /** A kick came that the thread which serves may not have seen; it looks at this after its turn. */
    private static final int PENDING = 2;

    /** {@link #SERVING} and {@link #PENDING}, or neither: one word, so that a kick takes two atomic operations. */
    private final AtomicInteger state = new AtomicInteger();

    /** Who serves just now. Plain: a thread asks only whether it is itself, and that it has stored itself. */
    private @Nullable Thread owner;

    /** Whether the owner is about to leave, so that another thread waits for its end rather than leave its kick. */
    private volatile boolean leaving;

    /** Whether nobody serves, not even the caller from within a callback. */
    boolean isFree() {
        return (state.get() & SERVING) == 0;
    }

    /** Whether it is the caller's turn, so that this is a callback of its own. */
    @SuppressWarnings("ReferenceEquality") // which thread it is, is the question
    boolean isMine() {
        return owner == Thread.currentThread();
    }

    /** True if it is this thread's turn; else what is to be served was left to the thread whose turn it is. */
    boolean claim() {
        for (int i = 0; !tryClaim(); i++) {
            if (leaveToServing()) {
                return false;
            }
            // The wait is short: the owner serves what is there and goes.
            Backoff.pause(i);
        }
        return true;
    }

    /** An atomic exchange: the thread that claims sees what was made available before each kick that was left. */
    boolean tryClaim() {
        int seen = state.get();
        if ((seen & SERVING) != 0 || !state.compareAndSet(seen, SERVING)) {
            return false;
        }
        owner = Thread.currentThread();
        if (leaving) {
            // Hardly ever so, and a store would be a fence in each kick.
            leaving = false;
        }
        return true;
    }

    /** Says that there is something to serve, before it is asked whether the thread that serves will still look. */
    private boolean leaveToServing() {
        boolean serving = (state.getAndUpdate(seen -> seen | PENDING) & SERVING) != 0;
        return serving && (!leaving || isMine());
    }

    boolean isPending() {
        return (state.get() & PENDING) != 0;
    }

    /** From now on kicks wait for their turn. This lasts beyond the release: a kick has the next turn. */
    void leave() {
        leaving = true;
    }

    /** Takes what others have left to this turn, if there is something. */
    boolean takePending() {
        return state.compareAndSet(SERVING | PENDING, SERVING);
    }

    void release() {
        owner = null;
        // While a thread serves, others only ever add the other bit.
        if (!state.compareAndSet(SERVING, 0)) {
            state.set(PENDING);
        }
    }
}
