// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device.transport;

import org.jspecify.annotations.Nullable;
import org.virtio4j.device.DeviceListener;
import org.virtio4j.vmm.FirstFailure;

/**
 * Tells the driver and the embedder that the device needs a reset. Setting the bit takes no lock and calls nobody;
 * telling calls the embedder, and so is done under no lock.
 */
final class Reports {

    private final StatusMachine status;
    private final TransportSignals signals;
    private volatile DeviceListener listener = DeviceListener.NONE;

    Reports(StatusMachine status, TransportSignals signals) {
        this.status = status;
        this.signals = signals;
    }

    DeviceListener listener() {
        return listener;
    }

    void listener(DeviceListener told) {
        listener = told;
    }

    /** Sets {@code NEEDS_RESET}; true for the first to do so, who must {@link #tell} of it. */
    boolean needReset(String reason) {
        return status.needReset(reason);
    }

    /** Sends a configuration change notification, which is how a driver hears of the bit, and tells the listener. */
    void tell(String reason) {
        Throwable thrown = FirstFailure.after(null, signals::configInterrupt);
        FirstFailure.throwIt(FirstFailure.after(thrown, () -> listener.needsReset(reason)));
    }

    /** Tells of a queue that could not be enabled as it was set up. */
    void tellRefused(@Nullable Activation active, boolean first, String reason) {
        if (active != null) {
            // Through the activation, so that a reset that comes between keeps it from being told of the next one.
            active.needsReset(reason);
        } else if (first) {
            listener.needsReset(reason);
        }
    }
}
