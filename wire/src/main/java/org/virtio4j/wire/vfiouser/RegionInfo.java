// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.vfiouser;

/**
 * Body of {@link Command#DEVICE_GET_REGION_INFO} and of its reply. In the request only {@code argsz} and the index
 * count.
 *
 * <pre>
 *      byte 0         4         8         12           16       24       32
 *     +-------------+---------+---------+------------+--------+--------+
 *     | argsz       | flags   | index   | cap_offset | size   | offset |
 *     +-------------+---------+---------+------------+--------+--------+
 * </pre>
 */
public final class RegionInfo {
    /** Offset of the 4-byte size of the reply that there is room for; in the reply, of this body. */
    public static final long ARGSZ = 0;
    /** Offset of the 4-byte flags. */
    public static final long FLAGS = 4;
    /** Offset of the 4-byte {@link PciRegion}. */
    public static final long INDEX = 8;
    /** Offset of the 4-byte place of capabilities, 0 for none. */
    public static final long CAP_OFFSET = 12;
    /** Offset of the 8-byte number of bytes of the region; 0 if the function does not have it. */
    public static final long LENGTH = 16;
    /** Offset of the 8-byte place of the region in a descriptor. */
    public static final long OFFSET = 24;
    /** Bytes of the body. */
    public static final long SIZE = 32;

    /** The region can be read. */
    public static final int READ = 1;
    /** The region can be written. */
    public static final int WRITE = 2;

    private RegionInfo() {
    }
}
