// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.pci;

/**
 * The numbers of section 4.1 of virtio 1.4, and of PCI, written down a second time from their texts: a wrong constant
 * of the product must not be right in the tests too.
 */
final class PciSpec {

    static final int COMMAND = 0x04;
    static final int STATUS = 0x06;
    static final int MEMORY_SPACE = 2;
    static final int BUS_MASTER = 4;
    static final int INTX_DISABLE = 0x400;
    static final int INTERRUPT_STATUS = 8;

    static final int CAP_POWER = 1;
    static final int CAP_VENDOR = 9;
    static final int CAP_EXPRESS = 0x10;
    static final int CAP_MSIX = 0x11;

    static final int CFG_COMMON = 1;
    static final int CFG_NOTIFY = 2;
    static final int CFG_ISR = 3;
    static final int CFG_DEVICE = 4;
    static final int CFG_PCI = 5;

    static final int MSIX_ENABLE = 0x8000;
    static final int MSIX_MASK_ALL = 0x4000;

    static final int DEVICE_FEATURE_SELECT = 0x00;
    static final int DEVICE_FEATURE = 0x04;
    static final int DRIVER_FEATURE_SELECT = 0x08;
    static final int DRIVER_FEATURE = 0x0c;
    static final int CONFIG_MSIX_VECTOR = 0x10;
    static final int NUM_QUEUES = 0x12;
    static final int DEVICE_STATUS = 0x14;
    static final int CONFIG_GENERATION = 0x15;
    static final int QUEUE_SELECT = 0x16;
    static final int QUEUE_SIZE = 0x18;
    static final int QUEUE_MSIX_VECTOR = 0x1a;
    static final int QUEUE_ENABLE = 0x1c;
    static final int QUEUE_NOTIFY_OFF = 0x1e;
    static final int QUEUE_DESC = 0x20;
    static final int QUEUE_DRIVER = 0x28;
    static final int QUEUE_DEVICE = 0x30;
    static final int QUEUE_NOTIF_CONFIG_DATA = 0x38;
    static final int QUEUE_RESET = 0x3a;
    static final int ADMIN_QUEUE_INDEX = 0x3c;
    static final int ADMIN_QUEUE_NUM = 0x3e;
    static final int NO_VECTOR = 0xffff;

    static final int RUNNING = 15;
    static final int NEEDS_RESET = 64;

    private PciSpec() {
    }
}
