// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.transport;

import org.virtio4j.device.transport.QueueArea;
import org.virtio4j.wire.MmioRegister;
import org.virtio4j.wire.pci.CommonConfig;

/** The registers that every transport has, and where: all are 4 bytes wide on MMIO. */
public enum Register {

    DEVICE_FEATURE_SELECT(MmioRegister.DEVICE_FEATURES_SEL, CommonConfig.DEVICE_FEATURE_SELECT, 4),
    DEVICE_FEATURE(MmioRegister.DEVICE_FEATURES, CommonConfig.DEVICE_FEATURE, 4),
    DRIVER_FEATURE_SELECT(MmioRegister.DRIVER_FEATURES_SEL, CommonConfig.DRIVER_FEATURE_SELECT, 4),
    DRIVER_FEATURE(MmioRegister.DRIVER_FEATURES, CommonConfig.DRIVER_FEATURE, 4),
    STATUS(MmioRegister.STATUS, CommonConfig.DEVICE_STATUS, 1),
    CONFIG_GENERATION(MmioRegister.CONFIG_GENERATION, CommonConfig.CONFIG_GENERATION, 1),
    QUEUE_SELECT(MmioRegister.QUEUE_SEL, CommonConfig.QUEUE_SELECT, 2),
    QUEUE_SIZE(MmioRegister.QUEUE_SIZE, CommonConfig.QUEUE_SIZE, 2),
    QUEUE_ENABLE(MmioRegister.QUEUE_READY, CommonConfig.QUEUE_ENABLE, 2),
    QUEUE_RESET(MmioRegister.QUEUE_RESET, CommonConfig.QUEUE_RESET, 2),
    DESCRIPTOR_LOW(MmioRegister.QUEUE_DESC_LOW, CommonConfig.QUEUE_DESC, 4),
    DESCRIPTOR_HIGH(MmioRegister.QUEUE_DESC_HIGH, CommonConfig.QUEUE_DESC + 4, 4),
    DRIVER_LOW(MmioRegister.QUEUE_DRIVER_LOW, CommonConfig.QUEUE_DRIVER, 4),
    DRIVER_HIGH(MmioRegister.QUEUE_DRIVER_HIGH, CommonConfig.QUEUE_DRIVER + 4, 4),
    DEVICE_LOW(MmioRegister.QUEUE_DEVICE_LOW, CommonConfig.QUEUE_DEVICE, 4),
    DEVICE_HIGH(MmioRegister.QUEUE_DEVICE_HIGH, CommonConfig.QUEUE_DEVICE + 4, 4);

    private final long mmioOffset;
    private final long pciOffset;
    private final int pciWidth;

    Register(long mmioOffset, long pciOffset, int pciWidth) {
        this.mmioOffset = mmioOffset;
        this.pciOffset = pciOffset;
        this.pciWidth = pciWidth;
    }

    /** Bytes from the start of the window. */
    long mmioOffset() {
        return mmioOffset;
    }

    /** Bytes from the start of the common configuration structure. */
    long pciOffset() {
        return pciOffset;
    }

    /** Bytes in the common configuration structure. */
    int pciWidth() {
        return pciWidth;
    }

    /** Bits 0 to 31 of where an area of a queue lies. */
    static Register low(QueueArea area) {
        return switch (area) {
            case DESCRIPTOR -> DESCRIPTOR_LOW;
            case DRIVER -> DRIVER_LOW;
            case DEVICE -> DEVICE_LOW;
        };
    }

    /** Bits 32 to 63 of where an area of a queue lies. */
    static Register high(QueueArea area) {
        return switch (area) {
            case DESCRIPTOR -> DESCRIPTOR_HIGH;
            case DRIVER -> DRIVER_HIGH;
            case DEVICE -> DEVICE_HIGH;
        };
    }
}
