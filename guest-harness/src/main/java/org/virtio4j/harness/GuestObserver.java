// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness;

/** Hears of the progress of a guest, on the thread that runs it. */
public interface GuestObserver {

    /**
     * A step begins.
     *
     * @param what half a line
     */
    void step(String what);

    /**
     * Something stands still or is otherwise wrong.
     *
     * @param what a line
     */
    default void notice(String what) {
        // The result tells how it ended.
    }

    /**
     * The guest has sent a line over its console, whatever it means.
     *
     * @param line without its end, and without control characters
     */
    default void heard(String line) {
        // Most observers need only what it means.
    }

    /**
     * Whether the user wants the guest to end.
     *
     * @return whether to end soon
     */
    boolean interrupted();
}
