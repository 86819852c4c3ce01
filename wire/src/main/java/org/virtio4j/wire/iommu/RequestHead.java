// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.iommu;

/**
 * First bytes of every request (virtio 1.4, section 5.13.6).
 *
 * <pre>
 *   byte 0      1                  4
 *        +------+------------------+
 *        | type | reserved         |
 *        +------+------------------+
 * </pre>
 */
public final class RequestHead {
    /** Offset of the request's type, one byte; see {@link RequestType}. */
    public static final long TYPE = 0;
    /** Bytes of the head, three reserved ones included, which the device ignores. */
    public static final long SIZE = 4;

    private RequestHead() {
    }
}
