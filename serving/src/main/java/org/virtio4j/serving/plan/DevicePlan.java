// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving.plan;

import java.io.IOException;
import java.util.Optional;
import org.virtio4j.device.VirtioDevice;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.machine.PciAddress;

/**
 * One function of a machine that is not the IOMMU.
 *
 * @param name what its socket is called, without the ending
 * @param address where it lies
 * @param translated whether it is behind the IOMMU
 * @param reserved what its driver may not map, if it is
 * @param maker makes the device when the machine begins to be served; one that is polled if {@code polling} is there
 * @param polling how the thread that polls it idles, if it is polled
 */
public record DevicePlan(String name, PciAddress address, boolean translated, ReservedRegions reserved,
        DeviceMaker maker, Optional<Idling> polling) {

    /**
     * A function whose driver notifies.
     *
     * @param name what its socket is called, without the ending
     * @param address where it lies
     * @param translated whether it is behind the IOMMU
     * @param reserved what its driver may not map, if it is
     * @param maker makes the device when the machine begins to be served
     */
    public DevicePlan(String name, PciAddress address, boolean translated, ReservedRegions reserved,
            DeviceMaker maker) {
        this(name, address, translated, reserved, maker, Optional.empty());
    }

    /** Makes a device, such as {@code VirtioEntropy::new}. */
    @FunctionalInterface
    public interface DeviceMaker {

        /**
         * Makes it.
         *
         * @return a device that belongs to the caller; a disk or a console must be closed
         * @throws IOException if what it needs cannot be opened
         */
        VirtioDevice make() throws IOException;
    }
}
