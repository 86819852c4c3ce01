// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import java.io.IOException;
import java.io.Serial;

/** A failure that is counted as something else than {@link BlockOutcome#FILE}. */
final class DiskFailureException extends IOException {

    @Serial
    private static final long serialVersionUID = 1;

    private final BlockOutcome outcome;

    DiskFailureException(BlockOutcome outcome, String message) {
        super(message);
        this.outcome = outcome;
    }

    BlockOutcome outcome() {
        return outcome;
    }
}
