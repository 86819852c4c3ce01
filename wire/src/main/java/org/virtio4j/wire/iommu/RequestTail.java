// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.iommu;

/**
 * Last bytes of what the device writes in answer to a request (virtio 1.4, section 5.13.6).
 *
 * <pre>
 *   byte 0        1                  4
 *        +--------+------------------+
 *        | status | reserved         |
 *        +--------+------------------+
 * </pre>
 */
public final class RequestTail {
    /** Offset of the status from the start of the tail, one byte; see {@link RequestStatus}. */
    public static final long STATUS = 0;
    /** Bytes of the tail, three reserved ones included, which the device sets to zero. */
    public static final long SIZE = 4;

    private RequestTail() {
    }
}
