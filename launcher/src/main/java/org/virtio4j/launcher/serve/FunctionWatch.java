// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher.serve;

import java.util.Optional;

/** Looks at a function now and then, and tells what came out of it as an exception. By one thread. */
final class FunctionWatch {

    private final ServedFunction function;
    private final DeviceNotices told;
    private boolean failed;

    FunctionWatch(ServedFunction function, DeviceNotices told) {
        this.function = function;
        this.told = told;
    }

    void look() {
        Optional<Throwable> failure = function.socket().failure();
        if (failure.isPresent() && !failed) {
            failed = true;
            told.failed(failure.get());
        }
    }
}
