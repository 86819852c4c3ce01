// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.dma;

/**
 * Makes an error of the JVM come out that it has put off. Touching memory that a file has no bytes for any more is an
 * {@link InternalError}, which compiled code throws at its next safepoint only. Until then it goes on with whatever the
 * register holds, perhaps in a method further out, or between a lock and the {@code try} that would release it. What
 * accesses there are, and which of them the JVM survives, is said in this package's description.
 */
final class LateErrors {

    /** Volatile, so that no compiler knows how often the loop goes round, and each round has a safepoint. */
    private static volatile int rounds = 1;

    private LateErrors() {
    }

    /**
     * Throws what an access before led to.
     *
     * @throws InternalError if memory was touched that is not there
     */
    static void throwNow() {
        for (int i = 0; i < rounds; i++) {
            // The way back to the condition is the safepoint.
        }
    }
}
