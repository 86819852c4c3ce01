// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

/**
 * Watches the requests an IOMMU answers, one by one: what the wire does not carry, such as how many mappings an UNMAP
 * removed. The embedder implements it, to record or to check a driver.
 *
 * <p>Calls come one at a time, under the control lock of the IOMMU, which must not be called back.
 *
 * <p>Under that lock a listener may read status, configuration and generation of any device; anything else of a device
 * may be held by a thread that waits for this IOMMU.
 */
public interface RequestListener {

    /**
     * A request was carried out or refused; its answer is not visible to the driver yet. Called in the order of the
     * ring, under the control lock of the IOMMU, which must not be called back.
     *
     * @param type    one of {@link org.virtio4j.wire.iommu.RequestType}
     * @param status  one of {@link org.virtio4j.wire.iommu.RequestStatus}
     * @param removed how many mappings an UNMAP removed; 0 for every other type
     */
    void served(int type, int status, long removed);
}
