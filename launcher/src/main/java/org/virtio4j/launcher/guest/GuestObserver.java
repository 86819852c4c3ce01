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
     * Whether the user wants an end.
     *
     * @return whether to end soon
     */
    boolean interrupted();
}
