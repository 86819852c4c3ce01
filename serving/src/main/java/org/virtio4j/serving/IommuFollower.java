// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving;

import java.util.Map;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.iommu.embedder.IommuListener;
import org.virtio4j.iommu.embedder.ReservedRegions;

/**
 * Follows the IOMMU of one served machine from before its first driver, as a recorder does.
 *
 * @param listener hears all that the IOMMU does
 * @param beginning learns how the IOMMU is set up
 */
public record IommuFollower(IommuListener listener, Beginning beginning) {

    /** Learns of an IOMMU that is made. */
    @FunctionalInterface
    public interface Beginning {

        /**
         * The IOMMU is made and has no driver yet. Called once, before anything is served.
         *
         * @param iommu the device
         * @param endpoints those behind it, by id, with what their drivers may not map
         */
        void begins(VirtioIommu iommu, Map<Integer, ReservedRegions> endpoints);
    }
}
