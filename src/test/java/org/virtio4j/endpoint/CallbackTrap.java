// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.virtio4j.vmm.FirstFailure;

/** Counts the calls of one callback and throws in one of them, or in all from one on; keeps what came out. */
final class CallbackTrap {

    /** How a callback fails. */
    enum Kind { EXCEPTION, ERROR, INTERRUPTED }

    private static final long PATIENCE_NANOS = 2_000_000_000L;

    private final List<Throwable> thrown = new ArrayList<>();
    private final List<Throwable> caught = new ArrayList<>();
    private Kind kind = Kind.EXCEPTION;

    /** Read without the lock by each callback, most of which are not meant. */
    private volatile @Nullable Callback armed;
    private int first;
    private boolean persistent;
    private int calls;

    /** From now on, the n-th call of this callback throws; 0 for none. If it persists, all that follow do, too. */
    synchronized void arm(Callback callback, Kind how, int number, boolean persists) {
        kind = how;
        first = number;
        persistent = persists;
        calls = 0;
        thrown.clear();
        caught.clear();
        armed = callback;
    }

    /** Nothing throws any more; what was thrown is still known. */
    synchronized void stop() {
        armed = null;
    }

    /** Every callback comes through here. */
    void pass(Callback callback) {
        if (callback == armed) {
            FirstFailure.throwIt(next(callback));
        }
    }

    private synchronized @Nullable Throwable next(Callback callback) {
        if (callback != armed) {
            return null;
        }
        calls++;
        if (first == 0 || calls < first || (calls > first && !persistent)) {
            return null;
        }
        if (kind == Kind.INTERRUPTED) {
            Thread.currentThread().interrupt();
        }
        String message = callback + " failed";
        Throwable made = kind == Kind.ERROR ? new AssertionError(message) : new IllegalStateException(message);
        thrown.add(made);
        return made;
    }

    /** Lets others run until something is so, but not for ever. */
    @SuppressWarnings("ThreadPriorityCheck") // a yield is all it takes where there is one processor
    static void until(BooleanSupplier condition) {
        long end = System.nanoTime() + PATIENCE_NANOS;
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() - end < 0, "never became so");
            Thread.yield();
        }
    }

    synchronized int calls() {
        return calls;
    }

    synchronized boolean hasThrown() {
        return !thrown.isEmpty();
    }

    /** How often it has thrown since it was armed. */
    synchronized int thrown() {
        return thrown.size();
    }

    synchronized Throwable lastThrown() {
        return thrown.getLast();
    }

    /** An exception came out of a register access, or ended up in a thread's handler. */
    synchronized void out(Throwable failure) {
        caught.add(failure);
    }

    synchronized boolean isOut() {
        return !caught.isEmpty();
    }

    /** All that was thrown has come out, by itself or as a companion of something else. */
    synchronized boolean isAllOut() {
        return thrown.stream().allMatch(one -> times(one) > 0);
    }

    synchronized void checkOnce(String message) {
        for (Throwable one : thrown) {
            assertEquals(1, times(one), () -> message + ": how often it came out, of " + thrown.size());
        }
    }

    /** For a failure's message: what came out that was not expected. */
    synchronized @Nullable Throwable something() {
        return caught.isEmpty() ? null : caught.getFirst();
    }

    private int times(Throwable one) {
        return caught.stream().mapToInt(out -> times(out, one)).sum();
    }

    @SuppressWarnings("ReferenceEquality") // the very exception is looked for
    private static int times(Throwable out, Throwable one) {
        int count = out == one ? 1 : 0;
        for (Throwable companion : out.getSuppressed()) {
            count += times(companion, one);
        }
        return count;
    }
}
