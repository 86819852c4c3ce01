// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.block;

/** What became of a request, its last byte (virtio 1.4, section 5.2.6). */
public final class RequestStatus {
    /** Done. */
    public static final int OK = 0;
    /** Device or driver made an error. */
    public static final int IOERR = 1;
    /** The device does not know such requests. */
    public static final int UNSUPP = 2;

    private RequestStatus() {
    }
}
