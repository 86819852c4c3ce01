// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.vfiouser;

/**
 * Body of {@link Command#REGION_READ} and {@link Command#REGION_WRITE}, and of their replies: data follows in the reply
 * of a read and in the request of a write.
 *
 * <pre>
 *      byte 0                   8          12      16
 *     +----------------------+----------+--------+-----------------+
 *     | offset in the region | region   | count  | count bytes ... |
 *     +----------------------+----------+--------+-----------------+
 * </pre>
 */
public final class RegionAccess {
    /** Offset of the 8-byte place in the region. */
    public static final long OFFSET = 0;
    /** Offset of the 4-byte {@link PciRegion}. */
    public static final long REGION = 8;
    /** Offset of the 4-byte number of bytes read or written. */
    public static final long COUNT = 12;
    /** Offset of the data, and bytes of the body without it. */
    public static final long DATA = 16;

    private RegionAccess() {
    }
}
