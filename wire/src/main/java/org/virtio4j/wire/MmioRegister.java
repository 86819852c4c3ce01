// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire;

/**
 * Offsets of the registers of a virtio-mmio device, register version 2 (virtio 1.4, section 4.2.2). Registers below
 * {@link #CONFIG} are 32 bits wide and accessed as aligned 32-bit words; from there on lies the configuration space of
 * the device type, accessed in the natural width of its fields.
 *
 * <pre>
 *   0x000  MagicValue      R    0x050  QueueNotify       W    0x0b0  SHMLenLow         R
 *   0x004  Version         R    0x060  InterruptStatus   R    0x0b4  SHMLenHigh        R
 *   0x008  DeviceID        R    0x064  InterruptACK      W    0x0b8  SHMBaseLow        R
 *   0x00c  VendorID        R    0x070  Status            RW   0x0bc  SHMBaseHigh       R
 *   0x010  DeviceFeatures  R    0x080  QueueDescLow      W    0x0c0  QueueReset        RW
 *   0x014  DeviceFeaturesSel W  0x084  QueueDescHigh     W    0x0fc  ConfigGeneration  R
 *   0x020  DriverFeatures  W    0x090  QueueDriverLow    W    0x100+ Config            RW
 *   0x024  DriverFeaturesSel W  0x094  QueueDriverHigh   W
 *   0x030  QueueSel        W    0x0a0  QueueDeviceLow    W
 *   0x034  QueueSizeMax    R    0x0a4  QueueDeviceHigh   W
 *   0x038  QueueSize       W    0x0ac  SHMSel            W
 *   0x044  QueueReady      RW
 * </pre>
 */
public final class MmioRegister {
    /** Reads {@link #MAGIC}. */
    public static final long MAGIC_VALUE = 0x000;
    /** Reads {@link #VERSION_2}. */
    public static final long VERSION = 0x004;
    /** Reads one of {@link DeviceType}, or 0 where no device is. */
    public static final long DEVICE_ID = 0x008;
    /** Reads an identifier of the device's vendor. */
    public static final long VENDOR_ID = 0x00c;
    /** Reads the word of offered features that {@link #DEVICE_FEATURES_SEL} selects. */
    public static final long DEVICE_FEATURES = 0x010;
    /** Takes the number of the word that {@link #DEVICE_FEATURES} shows. */
    public static final long DEVICE_FEATURES_SEL = 0x014;
    /** Takes the word of accepted features that {@link #DRIVER_FEATURES_SEL} selects. */
    public static final long DRIVER_FEATURES = 0x020;
    /** Takes the number of the word that {@link #DRIVER_FEATURES} sets. */
    public static final long DRIVER_FEATURES_SEL = 0x024;
    /** Takes the index of the queue that the other queue registers mean. */
    public static final long QUEUE_SEL = 0x030;
    /** Reads the most entries the queue may have, 0 where there is no such queue. */
    public static final long QUEUE_SIZE_MAX = 0x034;
    /** Takes the entries the queue shall have. */
    public static final long QUEUE_SIZE = 0x038;
    /** 1 while the queue may be used; writing 0 stops it. */
    public static final long QUEUE_READY = 0x044;
    /** Takes the index of a queue with new buffers, or notification data (section 2.9). */
    public static final long QUEUE_NOTIFY = 0x050;
    /** Reads the pending events: {@link #INTERRUPT_USED_BUFFER}, {@link #INTERRUPT_CONFIG}. */
    public static final long INTERRUPT_STATUS = 0x060;
    /** Takes the events that the driver has handled. */
    public static final long INTERRUPT_ACK = 0x064;
    /** The device status field, see {@link DeviceStatus}; writing 0 resets the device. */
    public static final long STATUS = 0x070;
    /** Takes bits 0 to 31 of the descriptor area's address. */
    public static final long QUEUE_DESC_LOW = 0x080;
    /** Takes bits 32 to 63 of the descriptor area's address. */
    public static final long QUEUE_DESC_HIGH = 0x084;
    /** Takes bits 0 to 31 of the driver area's address; in a split queue, the available ring. */
    public static final long QUEUE_DRIVER_LOW = 0x090;
    /** Takes bits 32 to 63 of the driver area's address. */
    public static final long QUEUE_DRIVER_HIGH = 0x094;
    /** Takes bits 0 to 31 of the device area's address; in a split queue, the used ring. */
    public static final long QUEUE_DEVICE_LOW = 0x0a0;
    /** Takes bits 32 to 63 of the device area's address. */
    public static final long QUEUE_DEVICE_HIGH = 0x0a4;
    /** Takes the identifier of the shared memory region that the registers after it mean. */
    public static final long SHM_SEL = 0x0ac;
    /** Reads bits 0 to 31 of the region's length in bytes; all ones where there is none. */
    public static final long SHM_LEN_LOW = 0x0b0;
    /** Reads bits 32 to 63 of the region's length in bytes; all ones where there is none. */
    public static final long SHM_LEN_HIGH = 0x0b4;
    /** Reads bits 0 to 31 of the region's guest-physical address; all ones where there is none. */
    public static final long SHM_BASE_LOW = 0x0b8;
    /** Reads bits 32 to 63 of the region's guest-physical address; all ones where there is none. */
    public static final long SHM_BASE_HIGH = 0x0bc;
    /** 1 while the queue is being reset; writing 1 starts it. Needs {@link FeatureBit#RING_RESET}. */
    public static final long QUEUE_RESET = 0x0c0;
    /** Reads a number that changes whenever the configuration space did. */
    public static final long CONFIG_GENERATION = 0x0fc;
    /** First byte of the configuration space of the device type. */
    public static final long CONFIG = 0x100;

    /** The four characters {@code virt}, first character in the lowest byte. */
    public static final int MAGIC = 0x74726976;
    /** The register version described here; 1 is the legacy one. */
    public static final int VERSION_2 = 2;
    /** Event bit: the device has used a buffer. */
    public static final int INTERRUPT_USED_BUFFER = 1;
    /** Event bit: the configuration space or the device status has changed. */
    public static final int INTERRUPT_CONFIG = 2;

    private MmioRegister() {
    }
}
