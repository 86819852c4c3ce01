// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

/**
 * Watches the requests an IOMMU answers, one by one: what the wire does not carry, such as how many mappings an UNMAP
 * removed. The embedder implements it, to record or to check a driver.
 *
 * <p>Calls come one at a time, but for {@link #unreservedDoorbell}, under the control lock of the IOMMU, which must not
 * be called back.
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

    /**
     * The driver has mapped what looks like the doorbell of its interrupts, a page with the MMIO flag or the first of a
     * domain and where there is no memory; and no region of kind MSI of this endpoint holds it. Where the embedder's
     * interrupt controller is reached by the physical address, such as QEMU's, the guest gets no interrupt of the
     * endpoint's messages, and stands still without a word. Give the endpoint a {@link ReservedRegion} of that kind
     * that holds {@code physStart}, such as {@link ReservedRegions#QEMU_VIRT_ITS}. A doorbell that the IOMMU's own
     * memory has as a region is reached by mappings, and is not told.
     *
     * <p>Once for each endpoint until the next reset of the IOMMU. Unlike {@link #served} on any thread that kicks the
     * IOMMU, under no lock, when the driver may have seen the answer. What is thrown comes out of that kick.
     *
     * @param endpoint  its id
     * @param virtStart first I/O-virtual address
     * @param physStart guest-physical address that it leads to
     */
    default void unreservedDoorbell(int endpoint, long virtStart, long physStart) {
        // Most listeners count requests.
    }
}
