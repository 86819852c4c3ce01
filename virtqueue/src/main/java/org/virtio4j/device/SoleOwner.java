// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device;

import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Keeps a device to one window or function: a device has one of these and hands it out by {@link VirtioDevice#owner}.
 * Two transports would each start, serve and reset it, and one driver's buffers would be answered in the other's rings.
 *
 * <p>The window or function that was made first has the device until its {@code close} is complete; then another may.
 */
public final class SoleOwner {

    /** A life cycle that has a device. Implemented by this library. */
    @FunctionalInterface
    public interface Holder {

        /**
         * Finishes the last reset of a life cycle that has ended, if that can be finished by now, and gives the device
         * up then. Called by the next owner, under no lock.
         */
        void finishEnd();
    }

    private final AtomicReference<@Nullable Holder> owner = new AtomicReference<>();

    /** Nobody has the device. */
    public SoleOwner() {
        // There is nothing to say.
    }

    /**
     * Takes the device. For life cycles.
     *
     * @param taker  who has it from now on
     * @param device the device, for the message
     * @throws IllegalStateException if another one has it
     */
    public void take(Holder taker, VirtioDevice device) {
        Holder before = owner.get();
        if (before != null) {
            before.finishEnd();
        }
        if (!owner.compareAndSet(null, taker)) {
            throw new IllegalStateException("device=" + device + " has a window or function already; close that first,"
                    + " or make another device for this one");
        }
    }

    /**
     * Gives the device up. For life cycles.
     *
     * @param taker who has taken it; nothing happens if that is another one
     */
    public void release(Holder taker) {
        boolean ignored = owner.compareAndSet(taker, null);
    }
}
