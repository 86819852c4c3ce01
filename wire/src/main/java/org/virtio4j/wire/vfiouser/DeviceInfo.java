// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.vfiouser;

/**
 * Body of {@link Command#DEVICE_GET_INFO} and of its reply. In the request only {@code argsz} counts.
 *
 * <pre>
 *      byte 0         4         8            12           16
 *     +-------------+---------+------------+------------+
 *     | argsz       | flags   | regions    | interrupts |
 *     +-------------+---------+------------+------------+
 * </pre>
 */
public final class DeviceInfo {
    /** Offset of the 4-byte size of the reply that there is room for; in the reply, of this body. */
    public static final long ARGSZ = 0;
    /** Offset of the 4-byte flags. */
    public static final long FLAGS = 4;
    /** Offset of the 4-byte number of regions. */
    public static final long REGIONS = 8;
    /** Offset of the 4-byte number of kinds of interrupts. */
    public static final long IRQS = 12;
    /** Bytes of the body. */
    public static final long SIZE = 16;

    /** The device understands {@link Command#DEVICE_RESET}. */
    public static final int RESET = 1;
    /** The device is a PCI function. */
    public static final int PCI = 2;

    private DeviceInfo() {
    }
}
