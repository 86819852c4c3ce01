// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine;

/**
 * Which endpoint a device is.
 *
 * @param iommu where the IOMMU lies that manages it
 * @param id    how that IOMMU's requests name it, unsigned; what {@code VirtioIommu.translator} takes
 */
public record EndpointId(Location iommu, int id) {

    /** Such as {@code endpoint 0x48 of the IOMMU at 00:08.0}. */
    @Override
    public String toString() {
        return "endpoint 0x" + Integer.toHexString(id) + " of the IOMMU at " + iommu;
    }
}
