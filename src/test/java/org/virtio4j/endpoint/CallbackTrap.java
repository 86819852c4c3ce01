// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.virtio4j.vmm.FirstFailure;

/** Counts the calls of one callback and throws in one of them; keeps what came out to the embedder. */
final class CallbackTrap {

    /** How a callback fails. */
    enum Kind { EXCEPTION, ERROR, INTERRUPTED }

    private static final long PATIENCE_NANOS = 2_000_000_000;

    private final List<Throwable> caught = new ArrayList<>();
    private Kind kind = Kind.EXCEPTION;
    private @Nullable Callback armed;
    private int left;
    private @Nullable Throwable thrown;

    /** From now on, the n-th call of this callback throws. */
    synchronized void arm(Callback callback, Kind how, int number) {
        kind = how;
        armed = callback;
        left = number;
        thrown = null;
        caught.clear();
    }

    synchronized void disarm() {
        armed = null;
        thrown = null;
        caught.clear();
    }

    /** Every callback comes through here. */
    void pass(Callback callback) {
        if (springs(callback)) {
            if (kind == Kind.INTERRUPTED) {
                Thread.currentThread().interrupt();
            }
            FirstFailure.throwIt(thrown());
        }
    }

    /** Spins until something is so; shorter than others wait, for there are many cases. */
    static void until(BooleanSupplier condition) {
        long end = System.nanoTime() + PATIENCE_NANOS;
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() - end < 0, "never became so");
            Thread.onSpinWait();
        }
    }

    private synchronized boolean springs(Callback callback) {
        if (callback != armed) {
            return false;
        }
        left--;
        if (left != 0) {
            return false;
        }
        String message = callback + " failed";
        thrown = kind == Kind.ERROR ? new AssertionError(message) : new IllegalStateException(message);
        return true;
    }

    /** What was thrown, once it was. */
    synchronized @Nullable Throwable thrown() {
        return thrown;
    }

    /** An exception came out of a register access, or ended up in a thread's handler. */
    synchronized void out(Throwable failure) {
        caught.add(failure);
    }

    synchronized boolean isOut() {
        return !caught.isEmpty();
    }

    /** How often what was thrown came out, by itself or as a companion of something else. */
    synchronized int times() {
        return caught.stream().mapToInt(this::times).sum();
    }

    @SuppressWarnings("ReferenceEquality") // the very exception is looked for
    private int times(Throwable failure) {
        int count = failure == thrown ? 1 : 0;
        for (Throwable companion : failure.getSuppressed()) {
            count += times(companion);
        }
        return count;
    }
}
