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
 * @param port where the root port lies behind which it is plugged while the guest runs; none if it is there from the
 *     start
 */
public record DevicePlan(String name, PciAddress address, boolean translated, ReservedRegions reserved,
        DeviceMaker maker, Optional<Idling> polling, Optional<PciAddress> port) {

    /**
     * Checks that a device behind a root port lies where such a device can lie.
     *
     * @throws IllegalArgumentException if there is a port but the device is not device 0 of another bus
     */
    public DevicePlan {
        if (port.isPresent() && (address.bus() == 0 || address.device() != 0 || address.function() != 0)) {
            throw new IllegalArgumentException("address=" + address + ", port=" + port.get() + ": behind a root port"
                    + " there is BUS:00.0 alone, with the bus of the port");
        }
    }

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
        this(name, address, translated, reserved, maker, Optional.empty(), Optional.empty());
    }

    /**
     * The same device behind a root port, to be plugged while the guest runs. It is served without MSI-X, because QEMU
     * cannot unplug a device that has it.
     *
     * @param where the root port's place on the root bus
     * @param bus the bus behind it: firmware counts from 1, in the order of the ports' places
     * @return a plan for a function that may come and go
     */
    public DevicePlan pluggedAt(PciAddress where, int bus) {
        return new DevicePlan(name, new PciAddress(bus, 0, 0), translated, reserved, maker, polling,
                Optional.of(where));
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
