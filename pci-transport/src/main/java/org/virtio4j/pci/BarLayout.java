// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.pci;

import org.virtio4j.wire.pci.CommonConfig;
import org.virtio4j.wire.pci.IsrStatus;
import org.virtio4j.wire.pci.MsixEntry;

/**
 * Which BARs a function has and what lies where in them. The structures of virtio lie in pages of their own, so that a
 * hypervisor can map or trap them one by one.
 *
 * <p>No BAR with 64 bits comes before BAR 4. Firmware that counts BARs without their high halves, as edk2 does, would
 * take another one for the BAR that a capability names. This is where other hypervisors' virtio devices have theirs.
 *
 * <pre>
 *   BAR 1, 32 bits                          BAR 4, 64 bits
 *            0       MSI-X table                    0x0000  common configuration
 *            half    pending bits                   0x1000  ISR status
 *                                                   0x2000  configuration of the device type
 *                                                   0x3000  notification addresses, 4 bytes each
 * </pre>
 *
 * @param queues     how many queues, each with a notification address
 * @param configSize bytes of the configuration of the device type
 * @param vectors    entries of the MSI-X table; 0 for a function without it, which has no BAR for it
 */
record BarLayout(int queues, int configSize, int vectors) {

    static final int MSIX = 1;
    static final int VIRTIO = 4;

    static final long COMMON = 0x0000;
    static final long ISR = 0x1000;
    static final long DEVICE = 0x2000;
    static final long NOTIFY = 0x3000;

    /** Section 4.1.4.4.1: an even power of two, and a multiple of 4 for notification data. */
    static final int NOTIFY_MULTIPLIER = 4;

    private static final long PAGE = 0x1000;
    private static final int MOST_QUEUES = 0xffff;

    /** Throws IllegalArgumentException for a device that a function cannot present. */
    BarLayout {
        if (queues > MOST_QUEUES) {
            throw new IllegalArgumentException("queueCount=" + queues + ", but a function counts up to " + MOST_QUEUES);
        }
        if (configSize > NOTIFY - DEVICE) {
            throw new IllegalArgumentException("configSize=" + configSize + ", but a function has room for "
                    + (NOTIFY - DEVICE) + " bytes of configuration");
        }
    }

    /** Bytes of a BAR; 0 where there is none. */
    long size(int bar) {
        return switch (bar) {
            case MSIX -> vectors == 0 ? 0 : 2 * powerOfTwo(Math.max(PAGE / 2, tableSize()));
            case VIRTIO -> powerOfTwo(NOTIFY + Math.max(PAGE, notifySize()));
            default -> 0;
        };
    }

    /** Whether a BAR has 64 bits, and with them the register of the next one. */
    static boolean isWide(int bar) {
        return bar == VIRTIO;
    }

    long tableSize() {
        return vectors * MsixEntry.SIZE;
    }

    long pendingBits() {
        return size(MSIX) / 2;
    }

    /** Section 4.1.4.4.1: never less than one notification, though a device without queues has nobody to notify. */
    long notifySize() {
        return (long) Math.max(1, queues) * NOTIFY_MULTIPLIER;
    }

    /** What can interrupt: each queue, and the configuration. */
    int events() {
        return queues + 1;
    }

    /** Whether a range of the virtio BAR lies in one of the structures that capabilities name. */
    boolean inStructure(long offset, int length) {
        return within(offset, length, COMMON, CommonConfig.SIZE) || within(offset, length, ISR, IsrStatus.SIZE)
                || within(offset, length, DEVICE, configSize) || within(offset, length, NOTIFY, notifySize());
    }

    private static boolean within(long offset, int length, long start, long size) {
        return offset >= start && offset + length <= start + size;
    }

    private static long powerOfTwo(long atLeast) {
        long highest = Long.highestOneBit(atLeast);
        return highest == atLeast ? highest : 2 * highest;
    }
}
