// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver.iommu;

import org.virtio4j.driver.DriverQueue;

/**
 * How the two parts of a request become a chain of descriptors, which must make no difference to a device (virtio 1.4,
 * section 2.7.4). An {@link IommuDriver} calls it on its own thread.
 */
@FunctionalInterface
public interface ChainLayout {

    /** As drivers usually do it: one descriptor for each part that is not empty. */
    ChainLayout PLAIN = DriverQueue::add;

    /**
     * Adds a request to the ring, without publishing it.
     *
     * @param queue           where to add it
     * @param token           what the chain is added with
     * @param readableAddress where the device reads, as the device sees memory
     * @param readableLength  bytes, 0 for no such part
     * @param writableAddress where the device writes, as the device sees memory
     * @param writableLength  bytes, 0 for no such part
     * @return false if there is no room; nothing has changed then
     */
    boolean add(DriverQueue queue, long token, long readableAddress, long readableLength, long writableAddress,
            long writableLength);
}
