// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device;

import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * Counts the threads that are on their way to the embedder with a signal, for each kind of signal apart; resets wait
 * for them, so that none arrives after. Who signals counts first and looks then, who resets takes away first and looks
 * at the count then: one of the two notices the other.
 *
 * <p>A reset that an embedder makes from within a signal does not wait for that signal, which would be for itself.
 *
 * <p>Any thread may call; nothing waits, and nothing is allocated.
 */
final class SignalsUnderWay {

    private final AtomicIntegerArray counts;

    /** The first of the threads that are counted, as long as it is. */
    private final AtomicReferenceArray<@Nullable Thread> firsts;

    SignalsUnderWay(int kinds) {
        counts = new AtomicIntegerArray(kinds);
        firsts = new AtomicReferenceArray<>(kinds);
    }

    void begin(int kind) {
        if (counts.getAndIncrement(kind) == 0) {
            firsts.set(kind, Thread.currentThread());
        }
    }

    @SuppressWarnings("ReferenceEquality") // which thread it is, is the question
    void end(int kind) {
        if (firsts.get(kind) == Thread.currentThread()) {
            firsts.set(kind, null);
        }
        counts.decrementAndGet(kind);
    }

    /** Whether nobody but the caller is on the way. */
    @SuppressWarnings("ReferenceEquality") // which thread it is, is the question
    boolean isQuiet(int kind) {
        int count = counts.get(kind);
        return count == 0 || (count == 1 && firsts.get(kind) == Thread.currentThread());
    }
}
