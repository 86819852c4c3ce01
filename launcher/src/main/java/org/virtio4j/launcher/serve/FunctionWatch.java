// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher.serve;

import java.util.Optional;

/** Looks at a function now and then, and tells what is new: a reason to stand still, an exception. By one thread. */
final class FunctionWatch {

    private final ServedFunction function;
    private final DeviceNotices told;
    private String reason = "";
    private boolean failed;

    FunctionWatch(ServedFunction function, DeviceNotices told) {
        this.function = function;
        this.told = told;
    }

    void look() {
        String now = function.function().needsResetReason();
        if (!now.isEmpty() && !now.equals(reason)) {
            told.needsReset(now);
        }
        reason = now;
        Optional<Throwable> failure = function.socket().failure();
        if (failure.isPresent() && !failed) {
            failed = true;
            told.failed(failure.get());
        }
    }
}
