// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import java.io.IOException;
import java.io.Serial;

/** A window that the client cannot have: the error number of the answer, and the reason as the message. */
final class RefusedException extends IOException {

    @Serial
    private static final long serialVersionUID = 1;

    private final int errno;

    RefusedException(int errno, String reason) {
        super(reason);
        this.errno = errno;
    }

    int errno() {
        return errno;
    }

    String reason() {
        return String.valueOf(getMessage());
    }
}
