// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher.guest;

/** Hears how a guest gets on, on the thread that runs it. */
public interface GuestObserver {

    /**
     * Something begins.
     *
     * @param what half a line
     */
    void step(String what);

    /**
     * Something stands still, or is otherwise not as it should be.
     *
     * @param what a line
     */
    default void notice(String what) {
        // Whoever does not watch learns the end of it from the result.
    }

    /**
     * The guest has sent a line over its console, whatever it means.
     *
     * @param line without its end, and without control characters
     */
    default void heard(String line) {
        // Most users want to know what it means.
    }

    /**
     * Whether the user wants an end.
     *
     * @return whether to end soon
     */
    boolean interrupted();
}
