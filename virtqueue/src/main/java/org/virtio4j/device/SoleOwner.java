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

    private final AtomicReference<@Nullable DeviceLifecycle> owner = new AtomicReference<>();

    /** Nobody has the device. */
    public SoleOwner() {
        // There is nothing to say.
    }

    void take(DeviceLifecycle taker, VirtioDevice device) {
        DeviceLifecycle before = owner.get();
        if (before != null) {
            before.finishEnd();
        }
        if (!owner.compareAndSet(null, taker)) {
            throw new IllegalStateException("device=" + device + " has a window or function already; close that first,"
                    + " or make another device for this one");
        }
    }

    void release(DeviceLifecycle taker) {
        boolean ignored = owner.compareAndSet(taker, null);
    }
}
