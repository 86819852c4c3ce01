// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.iommu;

/**
 * Readable part of a PROBE request (virtio 1.4, section 5.13.6.7). Its writable part is as many bytes of properties as
 * the field at {@link IommuConfig#PROBE_SIZE} says, then a {@link RequestTail}.
 *
 * <pre>
 *   byte 0      4          8                 72
 *        +------+----------+-- ... ----------+
 *        | head | endpoint | reserved        |
 *        +------+----------+-- ... ----------+
 * </pre>
 */
public final class ProbeRequest {
    /** Offset of the 4-byte identifier of the endpoint. */
    public static final long ENDPOINT = 4;
    /** Offset of 64 bytes that the device ignores. */
    public static final long RESERVED = 8;
    /** Bytes of the readable part. */
    public static final long SIZE = 72;

    private ProbeRequest() {
    }
}
