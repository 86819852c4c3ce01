// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.iommu;

/**
 * Readable part of a DETACH request (virtio 1.4, section 5.13.6.4); a {@link RequestTail} is its writable part.
 *
 * <pre>
 *   byte 0      4        8          12                 20
 *        +------+--------+----------+------------------+
 *        | head | domain | endpoint | reserved         |
 *        +------+--------+----------+------------------+
 * </pre>
 */
public final class DetachRequest {
    /** Offset of the 4-byte number of the domain. */
    public static final long DOMAIN = 4;
    /** Offset of the 4-byte identifier of the endpoint. */
    public static final long ENDPOINT = 8;
    /** Offset of eight bytes that the device ignores. */
    public static final long RESERVED = 12;
    /** Bytes of the readable part. */
    public static final long SIZE = 20;

    private DetachRequest() {
    }
}
