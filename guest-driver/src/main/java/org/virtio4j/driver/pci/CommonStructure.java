// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver.pci;

import org.virtio4j.driver.pci.FoundStructures.Place;
import org.virtio4j.wire.pci.CommonConfig;

/**
 * The common configuration of a PCI function (virtio 1.4, section 4.1.4.3): status, features, and the registers of the
 * queue that was selected last. To select a queue and to access its registers are two accesses, so all methods belong
 * to one thread at a time.
 */
final class CommonStructure {

    private static final int MOST_READS = 1_000_000;
    private static final int MOST_QUEUES = 1 << Short.SIZE;

    private final PciRegisters registers;
    private final boolean resetsQueues;

    /** Registers of the length that the place says, which may be too short for fields of later features. */
    CommonStructure(PciRegisters registers, Place place) {
        this.registers = registers;
        this.resetsQueues = place.length() >= CommonConfig.QUEUE_RESET + Short.BYTES;
    }

    int status() {
        return registers.u8(CommonConfig.DEVICE_STATUS);
    }

    void writeStatus(int status) {
        registers.putU8(CommonConfig.DEVICE_STATUS, status);
    }

    int offeredFeatures(int word) {
        registers.putU32(CommonConfig.DEVICE_FEATURE_SELECT, word);
        return registers.u32(CommonConfig.DEVICE_FEATURE);
    }

    void acceptFeatures(int word, int bits) {
        registers.putU32(CommonConfig.DRIVER_FEATURE_SELECT, word);
        registers.putU32(CommonConfig.DRIVER_FEATURE, bits);
    }

    int configGeneration() {
        return registers.u8(CommonConfig.CONFIG_GENERATION);
    }

    int queueSize(int queue) {
        select(queue);
        return registers.u16(CommonConfig.QUEUE_SIZE);
    }

    boolean queueEnabled(int queue) {
        select(queue);
        return registers.u16(CommonConfig.QUEUE_ENABLE) != 0;
    }

    /** Reads {@code queue_notify_off}, which says where a queue is notified. */
    int notifyOffset(int queue) {
        select(queue);
        return registers.u16(CommonConfig.QUEUE_NOTIFY_OFF);
    }

    /** Writes where a queue lies, and reads back {@code queue_notify_off}. The queue stays disabled. */
    int placeQueue(int queue, int size, long descriptorArea, long driverArea, long deviceArea) {
        select(queue);
        registers.putU16(CommonConfig.QUEUE_SIZE, size);
        registers.putU64(CommonConfig.QUEUE_DESC, descriptorArea);
        registers.putU64(CommonConfig.QUEUE_DRIVER, driverArea);
        registers.putU64(CommonConfig.QUEUE_DEVICE, deviceArea);
        return registers.u16(CommonConfig.QUEUE_NOTIFY_OFF);
    }

    /** Enables the queue that was placed last; false if the device did not. */
    boolean enablePlacedQueue() {
        registers.putU16(CommonConfig.QUEUE_ENABLE, 1);
        return registers.u16(CommonConfig.QUEUE_ENABLE) == 1;
    }

    /** Resets a queue and waits until that is done; false if the structure has no such register, or it never is. */
    boolean resetQueue(int queue) {
        if (!resetsQueues) {
            return false;
        }
        select(queue);
        registers.putU16(CommonConfig.QUEUE_RESET, 1);
        for (int i = 0; i < MOST_READS; i++) {
            if (registers.u16(CommonConfig.QUEUE_RESET) == 0) {
                return registers.u16(CommonConfig.QUEUE_ENABLE) == 0;
            }
            Thread.onSpinWait();
        }
        return false;
    }

    /** Maps configuration changes to a vector; false if the device could not. */
    boolean configVector(int vector) {
        registers.putU16(CommonConfig.CONFIG_MSIX_VECTOR, vector);
        return registers.u16(CommonConfig.CONFIG_MSIX_VECTOR) == vector;
    }

    /** Maps the used buffers of a queue to a vector; false if the device could not. */
    boolean queueVector(int queue, int vector) {
        select(queue);
        registers.putU16(CommonConfig.QUEUE_MSIX_VECTOR, vector);
        return registers.u16(CommonConfig.QUEUE_MSIX_VECTOR) == vector;
    }

    private void select(int queue) {
        if (queue < 0 || queue >= MOST_QUEUES) {
            throw new IllegalArgumentException("queue=" + queue + ", but queues are counted from 0 to 65535");
        }
        registers.putU16(CommonConfig.QUEUE_SELECT, queue);
    }
}
