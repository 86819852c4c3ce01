// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving.plan;

import java.util.Optional;
import java.util.function.Consumer;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.iommu.VirtioIommuBuilder;
import org.virtio4j.machine.PciAddress;

/**
 * The IOMMU of a machine. Immutable: each {@link #builder} is a new one.
 *
 * @param address where it lies
 * @param settings sets up a builder; called each time that the machine is served, and sets the same each time
 * @param polling how the thread that polls it idles, if it is polled
 */
public record IommuPlan(PciAddress address, Consumer<VirtioIommuBuilder> settings, Optional<Idling> polling) {

    /**
     * An IOMMU with the default settings of {@link VirtioIommuBuilder}, whose driver notifies it.
     *
     * @param address where it lies
     * @return a plan
     */
    public static IommuPlan at(PciAddress address) {
        return new IommuPlan(address, builder -> { }, Optional.empty());
    }

    /**
     * The same with other settings.
     *
     * @param other sets up a builder; called each time that the machine is served
     * @return a plan
     */
    public IommuPlan withSettings(Consumer<VirtioIommuBuilder> other) {
        return new IommuPlan(address, other, polling);
    }

    /**
     * The same with a thread that polls it.
     *
     * @param idling how the thread idles
     * @return a plan
     */
    public IommuPlan withPolling(Idling idling) {
        return new IommuPlan(address, settings, Optional.of(idling));
    }

    /**
     * Makes a builder that has everything but the endpoints and those who listen.
     *
     * @return a new builder
     * @throws IllegalArgumentException if a setting is not possible
     */
    public VirtioIommuBuilder builder() {
        VirtioIommuBuilder builder = VirtioIommu.builder();
        settings.accept(builder);
        return polling.isPresent() ? builder.polled() : builder;
    }
}
