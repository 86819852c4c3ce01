// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.queue;

/**
 * What a driver has said of a queue by the time it is enabled (virtio 1.4, section 2.6). All addresses are those of the
 * device's {@link org.virtio4j.dma.DmaSpace}, behind an IOMMU I/O-virtual ones.
 *
 * @param size           how many entries the ring has
 * @param descriptorArea address of the descriptor table
 * @param driverArea     address of the available ring
 * @param deviceArea     address of the used ring
 * @param indirect       whether {@code VIRTIO_F_INDIRECT_DESC} was negotiated
 * @param eventIdx       whether {@code VIRTIO_F_EVENT_IDX} was negotiated
 * @param translated     whether the addresses are I/O-virtual ones, see {@link org.virtio4j.dma.DmaSpace#translated}
 * @param polled         whether the device finds buffers without being notified of them, and so wants no notification
 */
public record QueueSettings(int size, long descriptorArea, long driverArea, long deviceArea, boolean indirect,
        boolean eventIdx, boolean translated, boolean polled) {

    /**
     * A queue whose driver notifies.
     *
     * @param size           how many entries the ring has
     * @param descriptorArea address of the descriptor table
     * @param driverArea     address of the available ring
     * @param deviceArea     address of the used ring
     * @param indirect       whether {@code VIRTIO_F_INDIRECT_DESC} was negotiated
     * @param eventIdx       whether {@code VIRTIO_F_EVENT_IDX} was negotiated
     * @param translated     whether the addresses are I/O-virtual ones
     */
    public QueueSettings(int size, long descriptorArea, long driverArea, long deviceArea, boolean indirect,
            boolean eventIdx, boolean translated) {
        this(size, descriptorArea, driverArea, deviceArea, indirect, eventIdx, translated, false);
    }
}
