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
    /** The same, where nobody waits for the turn: the thread that serves must look, even if it is about to leave. */
    private static final int LEFT = 4;

    /** {@link #SERVING} with what was left to it: one word, so that a kick takes two atomic operations. */
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

    /**
     * True if it is this thread's turn; else what is to be served was left to the thread whose turn it is.
     *
     * @param waits whether to wait for the turn where that thread is about to leave
     */
    boolean claim(boolean waits) {
        for (int i = 0; !tryClaim(); i++) {
            if (waits ? leaveToServing() : leaveToLeaving()) {
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

    /** Says the same for a thread that does not wait; the thread that serves looks at {@link #isLeft} at the end. */
    private boolean leaveToLeaving() {
        return (state.getAndUpdate(seen -> seen | LEFT) & SERVING) != 0;
    }

    boolean isPending() {
        return (state.get() & (PENDING | LEFT)) != 0;
    }

    /** Whether something was left that no other thread waits to serve. */
    boolean isLeft() {
        return (state.get() & LEFT) != 0;
    }

    /** From now on kicks wait for their turn. This lasts beyond the release: a kick has the next turn. */
    void leave() {
        leaving = true;
    }

    /** Takes what others have left to this turn, if there is something. */
    boolean takePending() {
        return state.get() != SERVING && state.getAndSet(SERVING) != SERVING;
    }

    void release() {
        owner = null;
        if (!state.compareAndSet(SERVING, 0)) {
            // While a thread serves, others only ever add the other bits.
            int ignored = state.getAndUpdate(seen -> seen & ~SERVING);
        }
    }
}
