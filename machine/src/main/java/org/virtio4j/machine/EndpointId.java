// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine;

/**
 * Which endpoint a device is.
 *
 * @param iommu where the IOMMU lies that manages it
 * @param id    how that IOMMU's requests name it, unsigned; what {@code VirtioIommu.translator} takes
 */
public record EndpointId(Location iommu, int id) {
}
