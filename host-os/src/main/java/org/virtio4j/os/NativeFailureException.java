// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.os;

import java.io.IOException;
import java.io.Serial;

/** A call of the operating system that failed. */
public final class NativeFailureException extends IOException {

    @Serial
    private static final long serialVersionUID = 1;

    private final int errno;

    /**
     * A failure whose message names the call and the error.
     *
     * @param what  the call, and what it was about
     * @param errno its error number
     */
    public NativeFailureException(String what, int errno) {
        super(what + ": " + Errno.name(errno));
        this.errno = errno;
    }

    /**
     * Why.
     *
     * @return an error number, see {@link Errno}
     */
    public int errno() {
        return errno;
    }
}
