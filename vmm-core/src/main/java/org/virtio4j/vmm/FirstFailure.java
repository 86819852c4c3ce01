// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vmm;

import org.jspecify.annotations.Nullable;

/**
 * What an embedder's callback threw while there was more to do. The rest is done first; then the first exception is
 * thrown, and those that followed it are its suppressed ones.
 *
 * <p>An object of this class keeps the exception in a field, from one call to the next; whatever guards its owner
 * guards it. The static methods do the same with an exception in a local variable, and allocate nothing.
 */
public final class FirstFailure {

    private @Nullable Throwable first;

    /** Nothing has been thrown yet. */
    public FirstFailure() {
    }

    /**
     * Keeps an exception for later.
     *
     * @param thrown an unchecked one
     */
    public void add(Throwable thrown) {
        first = join(first, thrown);
    }

    /**
     * Does the next thing, and keeps what comes out of it.
     *
     * @param next throws unchecked exceptions alone
     */
    public void run(Runnable next) {
        first = after(first, next);
    }

    /**
     * Whether nothing is kept.
     *
     * @return true if {@link #rethrow} would do nothing
     */
    public boolean isEmpty() {
        return first == null;
    }

    /** Throws what was kept, once; does nothing if nothing was. */
    public void rethrow() {
        Throwable kept = first;
        if (kept != null) {
            first = null;
            throwIt(kept);
        }
    }

    /**
     * Puts two together, either of which may be missing.
     *
     * @param earlier what was thrown first
     * @param later   what came after it
     * @return the earlier one, to which the later one was added; or the one there is
     */
    @SuppressWarnings("ReferenceEquality") // an exception is not its own companion
    public static @Nullable Throwable join(@Nullable Throwable earlier, @Nullable Throwable later) {
        if (earlier == null) {
            return later;
        }
        if (later != null && later != earlier) {
            earlier.addSuppressed(later);
        }
        return earlier;
    }

    /**
     * Does the next thing, whatever came out of the ones before.
     *
     * @param earlier what was thrown so far; null if nothing was
     * @param next    what is done now
     * @return what was thrown so far, to which what came out of this was added
     */
    public static @Nullable Throwable after(@Nullable Throwable earlier, Runnable next) {
        try {
            next.run();
            return earlier;
        } catch (RuntimeException | Error again) {
            return join(earlier, again);
        }
    }

    /**
     * Throws an unchecked exception, if there is one.
     *
     * @param thrown a {@link RuntimeException}, an {@link Error} or null
     */
    public static void throwIt(@Nullable Throwable thrown) {
        if (thrown instanceof RuntimeException exception) {
            throw exception;
        }
        if (thrown instanceof Error error) {
            throw error;
        }
    }
}
