// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.pci;

/**
 * Vendor-specific capability that says where one structure of virtio lies (virtio 1.4, section 4.1.4). Two of them have
 * four bytes more: {@link #NOTIFY_CFG} its multiplier, {@link #PCI_CFG} its data.
 *
 * <pre>
 *       byte 0      1        2          3
 *    0 +----------+--------+----------+----------+
 *      | 0x09     | next   | cap_len  | cfg_type |
 *    4 +----------+--------+----------+----------+
 *      | bar      | id     | padding             |
 *    8 +----------+--------+---------------------+
 *      | offset                                  |
 *   12 +-----------------------------------------+
 *      | length                                  |
 *   16 +-----------------------------------------+
 *      | notify_off_multiplier | pci_cfg_data    |
 *   20 +-----------------------------------------+
 * </pre>
 */
public final class VirtioCapability {
    /** Offset of the byte with the length of the capability in bytes, extra data included. */
    public static final long CAP_LEN = 2;
    /** Offset of the byte that says which structure this is about. */
    public static final long CFG_TYPE = 3;
    /** Offset of the byte with the number of the BAR, 0 to 5; others are reserved. */
    public static final long BAR = 4;
    /** Offset of the 4-byte offset of the structure within the BAR. */
    public static final long OFFSET = 8;
    /** Offset of the 4-byte length of the structure in bytes. */
    public static final long LENGTH = 12;
    /** Bytes of a capability without extra data. */
    public static final long SIZE = 16;
    /** Offset of the 4-byte distance in bytes of two notification addresses, in {@link #NOTIFY_CFG}. */
    public static final long NOTIFY_OFF_MULTIPLIER = 16;
    /** Offset of the 4 bytes through which {@link #PCI_CFG} accesses a BAR. */
    public static final long PCI_CFG_DATA = 16;
    /** Bytes of a capability with 4 bytes of extra data. */
    public static final long EXTENDED_SIZE = 20;

    /** {@link CommonConfig} (section 4.1.4.3). */
    public static final int COMMON_CFG = 1;
    /** Notification addresses (section 4.1.4.4). */
    public static final int NOTIFY_CFG = 2;
    /** {@link IsrStatus} (section 4.1.4.5). */
    public static final int ISR_CFG = 3;
    /** Configuration of the device type (section 4.1.4.6). */
    public static final int DEVICE_CFG = 4;
    /** A window on the other structures within configuration space (section 4.1.4.9). */
    public static final int PCI_CFG = 5;

    private VirtioCapability() {
    }
}
