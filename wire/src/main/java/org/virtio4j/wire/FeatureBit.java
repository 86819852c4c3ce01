// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire;

/**
 * Numbers of the feature bits that belong to no device type (virtio 1.4, chapter 6). A number counts from the least
 * significant bit of feature word 0; bit b is in the 32-bit word {@code b / 32}. Bits 0 to 23 and 50 to 127 belong to
 * the device type.
 *
 * <pre>
 *   word 0:   0 .. 23 device type | 24 27 28 29 rings
 *   word 1:  32 .. 40, 41, 43     negotiation, rings, transport | 50 .. 63 device type
 *   word 2 and 3:                 device type
 * </pre>
 */
public final class FeatureBit {
    /** Legacy only (section 6.3): interrupt whenever the device runs out of buffers. */
    public static final int NOTIFY_ON_EMPTY = 24;
    /** Legacy only (section 6.3): any split of a request into descriptors is understood; always so since 1.0. */
    public static final int ANY_LAYOUT = 27;
    /** Chains may refer to a table of descriptors elsewhere in memory. */
    public static final int INDIRECT_DESC = 28;
    /** {@code used_event} and {@code avail_event} say when to notify, instead of the rings' flags. */
    public static final int EVENT_IDX = 29;
    /** The device follows this specification and not the legacy one. */
    public static final int VERSION_1 = 32;
    /** Addresses the driver gives may be translated and limited by the platform, as by an IOMMU. */
    public static final int ACCESS_PLATFORM = 33;
    /** Queues have the packed layout of section 2.8. */
    public static final int RING_PACKED = 34;
    /** The device uses buffers in the order in which they were made available. */
    public static final int IN_ORDER = 35;
    /** Memory is ordered between driver and device as the platform orders it for hardware devices. */
    public static final int ORDER_PLATFORM = 36;
    /** The device has single root I/O virtualization; PCI only. */
    public static final int SR_IOV = 37;
    /** A notification carries the driver's ring position (section 2.9). */
    public static final int NOTIFICATION_DATA = 38;
    /** A notification names its queue by a value that the device chose (section 2.9). */
    public static final int NOTIF_CONFIG_DATA = 39;
    /** One queue can be reset on its own (section 2.6.1). */
    public static final int RING_RESET = 40;
    /** The device has administration virtqueues (section 2.13); PCI only. */
    public static final int ADMIN_VQ = 41;
    /** The driver can suspend the device (section 3.4). */
    public static final int SUSPEND = 43;

    private FeatureBit() {
    }
}
