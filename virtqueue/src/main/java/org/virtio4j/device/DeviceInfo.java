// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device;

import java.util.List;
import org.virtio4j.wire.VirtqueueLimit;

/**
 * What a transport must know of a device to present it.
 *
 * @param deviceType the device ID of virtio 1.4, section 5, more than 0; 23 for an IOMMU
 * @param queueSizes for each queue the largest size a driver may choose, a power of two up to 32,768
 * @param configSize length of the device configuration in bytes
 */
public record DeviceInfo(int deviceType, List<Integer> queueSizes, int configSize) {

    /**
     * Checks and keeps the values.
     *
     * @throws IllegalArgumentException if a queue size is no power of two or too large, {@code deviceType} is not above
     *         0, or {@code configSize} is negative
     */
    public DeviceInfo {
        if (deviceType <= 0) {
            throw new IllegalArgumentException("deviceType=" + deviceType
                    + ", but drivers pass over a device with ID 0 (section 4.2.3.1.1); give one of section 5");
        }
        queueSizes = List.copyOf(queueSizes);
        for (int size : queueSizes) {
            if (size < 1 || Integer.bitCount(size) != 1 || size > VirtqueueLimit.MAX_SIZE) {
                throw new IllegalArgumentException("queueSize=" + size + ", but a power of two from 1 to "
                        + VirtqueueLimit.MAX_SIZE + " is needed");
            }
        }
        if (configSize < 0) {
            throw new IllegalArgumentException("configSize=" + configSize + ", but it is a length in bytes");
        }
    }

    /**
     * How many queues there are.
     *
     * @return a count
     */
    public int queueCount() {
        return queueSizes.size();
    }
}
