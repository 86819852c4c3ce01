// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.iommu;

/**
 * Readable part of an ATTACH request (virtio 1.4, section 5.13.6.3); a {@link RequestTail} is its writable part.
 *
 * <pre>
 *   byte 0      4        8          12      16         20
 *        +------+--------+----------+-------+----------+
 *        | head | domain | endpoint | flags | reserved |
 *        +------+--------+----------+-------+----------+
 * </pre>
 */
public final class AttachRequest {
    /** Offset of the 4-byte number of the domain, which is made if it does not exist. */
    public static final long DOMAIN = 4;
    /** Offset of the 4-byte identifier of the endpoint. */
    public static final long ENDPOINT = 8;
    /** Offset of the 4-byte flags: 0 or {@link #FLAG_BYPASS}. */
    public static final long FLAGS = 12;
    /** Offset of four bytes that must be zero. */
    public static final long RESERVED = 16;
    /** Bytes of the readable part. */
    public static final long SIZE = 20;

    /** The domain is one whose endpoints bypass; needs {@link IommuFeature#BYPASS_CONFIG}. */
    public static final int FLAG_BYPASS = 1;

    private AttachRequest() {
    }
}
