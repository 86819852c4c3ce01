// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device.transport;

import org.jspecify.annotations.Nullable;
import org.virtio4j.vmm.FirstFailure;
import org.virtio4j.wire.DeviceStatus;

/**
 * What a driver does with the status besides a reset: it negotiates features with {@code FEATURES_OK} and starts the
 * device with {@code DRIVER_OK} (virtio 1.4, section 3.1.1).
 */
final class StatusSteps {

    private final LifecycleState state;
    private final StatusMachine status;
    private final FeatureNegotiation features;
    private final Activator activator;
    private final QueueKicks kicks;

    StatusSteps(LifecycleState state, FeatureNegotiation features, Activator activator, QueueKicks kicks) {
        this.state = state;
        this.status = state.status;
        this.features = features;
        this.activator = activator;
        this.kicks = kicks;
    }

    /**
     * Takes a step, if the rules allow it. {@code FEATURES_OK}, and with it {@code DRIVER_OK}, stay clear if the
     * features cannot be accepted.
     */
    void write(int value) {
        boolean started = false;
        Throwable failed = null;
        String refused = "";
        state.lock.lock();
        try {
            int wanted = value & StatusMachine.DRIVER_BITS;
            if (status.permits(wanted) && !state.isResetting() && !state.over) {
                refused = status.adds(wanted, DeviceStatus.FEATURES_OK) ? features.refusal() : "";
                started = advance(refused.isEmpty() ? wanted : StatusMachine.withoutFeatures(wanted));
            }
        } catch (RuntimeException | Error failure) {
            // Where the start failed, it has said so already.
            boolean ignored = state.reports.needReset("status write: " + failure);
            failed = failure;
        } finally {
            state.lock.unlock();
        }
        follow(refused, started, failed);
    }

    /** Sets the bits that are new; true if the device has started. */
    private boolean advance(int granted) {
        if (status.adds(granted, DeviceStatus.FEATURES_OK)) {
            state.device.negotiated(features.accepted());
        }
        boolean starts = status.adds(granted, DeviceStatus.DRIVER_OK);
        try {
            if (starts) {
                activator.start(features.accepted());
            }
        } finally {
            // Also when the start failed: beside DRIVER_OK, NEEDS_RESET tells the driver that it did.
            status.grant(granted);
        }
        return starts;
    }

    /** What a step leads to, under no lock. */
    private void follow(String refused, boolean started, @Nullable Throwable failed) {
        if (!refused.isEmpty()) {
            state.reports.listener().featuresRefused(refused);
        }
        if (started) {
            kicks.kickAll();
        }
        if (failed != null) {
            Throwable thrown = FirstFailure.after(failed, () -> state.endings.closeShut(state.lock));
            FirstFailure.throwIt(FirstFailure.after(thrown, () -> state.reports.tell(status.reason())));
        }
    }
}
