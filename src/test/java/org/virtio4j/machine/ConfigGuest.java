// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.driver.DriverTransport;
import org.virtio4j.driver.iommu.EarlyTopology;
import org.virtio4j.driver.mmio.MmioDriverTransport;
import org.virtio4j.driver.pci.PciHost;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.mmio.VirtioMmioDevice;
import org.virtio4j.pci.PciBus;
import org.virtio4j.pci.PciInterrupts;
import org.virtio4j.pci.VirtioPciFunction;
import org.virtio4j.vmm.GuestMemory;

/**
 * What an early driver reads in the configurations of the IOMMUs of a machine, each over the transport where it lies.
 */
final class ConfigGuest implements GuestView {

    private static final long BARS = 0xc000_0000L;
    private static final long BARS_SIZE = 1 << 20;

    private final GuestMemory memory;
    private final Map<Location, EarlyTopology> read = new LinkedHashMap<>();

    /** Reads all of them; the memory is the IOMMUs' while that is done. */
    ConfigGuest(Topology topology, GuestMemory memory) {
        this.memory = memory;
        topology.scopes().forEach(scope -> read.put(scope.location(), read(scope)));
    }

    private EarlyTopology read(IommuScope scope) {
        VirtioIommu iommu = VirtioIommu.builder().maxMappings(1)
                .topology(TopologyItems.ITEM_LENGTH, TopologyItems.of(scope)).build();
        try (iommu) {
            EarlyTopology found = switch (scope.location()) {
                case PciAddress address -> readFunction(iommu);
                case MmioBase base -> readWindow(iommu);
            };
            assertEquals(EarlyTopology.Outcome.FOUND, found.outcome());
            return found;
        }
    }

    private EarlyTopology readFunction(VirtioIommu iommu) {
        try (VirtioPciFunction function =
                VirtioPciFunction.of(iommu, DmaSpace.identity(memory), PciInterrupts.messages())) {
            PciBus bus = new PciBus(BARS, BARS_SIZE);
            bus.add(0, 0, function);
            DriverTransport found = new PciHost(bus.ecam(), bus.memory(), BARS, BARS_SIZE).scan().getFirst();
            return EarlyTopology.read(found);
        }
    }

    private EarlyTopology readWindow(VirtioIommu iommu) {
        try (VirtioMmioDevice window = VirtioMmioDevice.of(iommu, DmaSpace.identity(memory), level -> { })) {
            return EarlyTopology.read(MmioDriverTransport.of(window, VirtioMmioDevice.WINDOW_SIZE));
        }
    }

    /** A driver knows where it has found an IOMMU, and that the IOMMU is not its own endpoint. */
    @Override
    public Optional<EndpointId> endpoint(Location device) {
        for (Map.Entry<Location, EarlyTopology> iommu : read.entrySet()) {
            OptionalInt endpoint = switch (device) {
                case PciAddress address -> iommu.getValue().endpoint(address.segment(), address.bdf());
                case MmioBase base -> iommu.getValue().endpoint(base.address());
            };
            if (endpoint.isPresent() && !iommu.getKey().equals(device)) {
                return Optional.of(new EndpointId(iommu.getKey(), endpoint.getAsInt()));
            }
        }
        return Optional.empty();
    }
}
