// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import org.virtio4j.device.DeviceListener;
import org.virtio4j.device.ResetKind;
import org.virtio4j.vmm.InterruptSink;

/** The callbacks that each device has of its own: its interrupts, and who hears why it stands still. */
record CallbackSignals(Callback line, Callback vector, Callback withdraw, Callback message, Callback featuresRefused,
        Callback needsReset, Callback resetCompleted) {

    static CallbackSignals of(Callback.Owner owner) {
        return new CallbackSignals(named(owner, "LINE"), named(owner, "VECTOR"), named(owner, "WITHDRAW"),
                named(owner, "MESSAGE"), named(owner, "FEATURES_REFUSED"), named(owner, "NEEDS_RESET"),
                named(owner, "RESET_COMPLETED"));
    }

    private static Callback named(Callback.Owner owner, String what) {
        return Callback.valueOf(owner + "_" + what);
    }

    InterruptSink sink(CallbackTrap trap) {
        return new InterruptSink() {
            @Override
            public void raise(int raised) {
                trap.pass(vector);
            }

            @Override
            public void withdraw(int withdrawn) {
                trap.pass(withdraw);
            }
        };
    }

    DeviceListener listener(CallbackTrap trap) {
        return new DeviceListener() {
            @Override
            public void featuresRefused(String reason) {
                trap.pass(featuresRefused);
            }

            @Override
            public void needsReset(String reason) {
                trap.pass(needsReset);
            }

            @Override
            public void resetCompleted(ResetKind kind) {
                trap.pass(resetCompleted);
            }
        };
    }
}
