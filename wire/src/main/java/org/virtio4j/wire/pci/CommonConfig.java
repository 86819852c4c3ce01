// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.pci;

/**
 * Common configuration structure (virtio 1.4, section 4.1.4.3): the device as a whole, then the queue that {@link
 * #QUEUE_SELECT} names. Each field is accessed in its own width, those of 8 bytes in two halves.
 *
 * <pre>
 *        byte 0              1              2                  3
 *   00 +-----------------------------------------------------------------+
 *      | device_feature_select                                        RW |
 *   04 +-----------------------------------------------------------------+
 *      | device_feature                                               R  |
 *   08 +-----------------------------------------------------------------+
 *      | driver_feature_select                                        RW |
 *   0c +-----------------------------------------------------------------+
 *      | driver_feature                                               RW |
 *   10 +-------------------------------+---------------------------------+
 *      | config_msix_vector         RW | num_queues                   R  |
 *   14 +---------------+---------------+---------------------------------+
 *      | device_status | config_gen. R | queue_select                 RW |
 *   18 +---------------+---------------+---------------------------------+
 *      | queue_size                 RW | queue_msix_vector            RW |
 *   1c +-------------------------------+---------------------------------+
 *      | queue_enable               RW | queue_notify_off             R  |
 *   20 +-------------------------------+---------------------------------+
 *      | queue_desc, 8 bytes                                          RW |
 *   28 +-----------------------------------------------------------------+
 *      | queue_driver, 8 bytes                                        RW |
 *   30 +-----------------------------------------------------------------+
 *      | queue_device, 8 bytes                                        RW |
 *   38 +-------------------------------+---------------------------------+
 *      | queue_notif_config_data    R  | queue_reset                  RW |
 *   3c +-------------------------------+---------------------------------+
 *      | admin_queue_index          R  | admin_queue_num              R  |
 *   40 +-------------------------------+---------------------------------+
 * </pre>
 */
public final class CommonConfig {
    /** Offset of the 4-byte number of the word that {@link #DEVICE_FEATURE} shows. */
    public static final long DEVICE_FEATURE_SELECT = 0x00;
    /** Offset of 4 bytes of offered features. */
    public static final long DEVICE_FEATURE = 0x04;
    /** Offset of the 4-byte number of the word that {@link #DRIVER_FEATURE} shows. */
    public static final long DRIVER_FEATURE_SELECT = 0x08;
    /** Offset of 4 bytes of accepted features. */
    public static final long DRIVER_FEATURE = 0x0c;
    /** Offset of the 2-byte MSI-X vector of configuration changes, or {@link #NO_VECTOR}. */
    public static final long CONFIG_MSIX_VECTOR = 0x10;
    /** Offset of the 2-byte number of queues. */
    public static final long NUM_QUEUES = 0x12;
    /** Offset of the byte with the {@link org.virtio4j.wire.DeviceStatus}; writing 0 resets. */
    public static final long DEVICE_STATUS = 0x14;
    /** Offset of the byte that differs after a changed configuration was read. */
    public static final long CONFIG_GENERATION = 0x15;
    /** Offset of the 2-byte index of the queue that the fields behind it mean. */
    public static final long QUEUE_SELECT = 0x16;
    /** Offset of the 2-byte queue size, the largest one after a reset; 0 where there is no such queue. */
    public static final long QUEUE_SIZE = 0x18;
    /** Offset of the 2-byte MSI-X vector of the queue, or {@link #NO_VECTOR}. */
    public static final long QUEUE_MSIX_VECTOR = 0x1a;
    /** Offset of the 2-byte field that is 1 while the queue is enabled. A driver writes nothing but 1. */
    public static final long QUEUE_ENABLE = 0x1c;
    /** Offset of the 2-byte position of the queue's notification address, in steps of the multiplier. */
    public static final long QUEUE_NOTIFY_OFF = 0x1e;
    /** Offset of the 8-byte address of the descriptor area. */
    public static final long QUEUE_DESC = 0x20;
    /** Offset of the 8-byte address of the driver area. */
    public static final long QUEUE_DRIVER = 0x28;
    /** Offset of the 8-byte address of the device area. */
    public static final long QUEUE_DEVICE = 0x30;
    /** Offset of the 2-byte value to notify with; needs {@link org.virtio4j.wire.FeatureBit#NOTIF_CONFIG_DATA}. */
    public static final long QUEUE_NOTIF_CONFIG_DATA = 0x38;
    /** Offset of the 2-byte field that is 1 while the queue is reset. Needs RING_RESET. */
    public static final long QUEUE_RESET = 0x3a;
    /** Offset of the 2-byte index of the first administration queue; needs ADMIN_VQ. */
    public static final long ADMIN_QUEUE_INDEX = 0x3c;
    /** Offset of the 2-byte number of administration queues; needs ADMIN_VQ. */
    public static final long ADMIN_QUEUE_NUM = 0x3e;
    /** Bytes of the structure. */
    public static final long SIZE = 0x40;

    /** As a vector: the event interrupts nobody (section 4.1.5.1.2). */
    public static final int NO_VECTOR = 0xffff;

    private CommonConfig() {
    }
}
