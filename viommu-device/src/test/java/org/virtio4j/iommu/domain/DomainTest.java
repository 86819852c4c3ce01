// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.domain;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.iommu.table.NodeSpace;

/** What a domain remembers of its endpoints while they come and go. */
final class DomainTest {

    private static final int ENDPOINTS = 100;
    private static final long DOORBELL = 0xfee0_0000L;

    private final Arena arena = Arena.ofAuto();
    private final Domain domain = new Domain(Domain.Kind.MAPPED,
            new NodeSpace(arena.allocate(NodeSpace.bytesFor(0, 1), 4096)));

    private static List<Endpoint> endpoints(ReservedRegions regions) {
        List<Endpoint> endpoints = new ArrayList<>();
        for (int id = 0; id < ENDPOINTS; id++) {
            endpoints.add(new Endpoint(id, regions));
        }
        return endpoints;
    }

    @Test
    void shouldLookThroughEqualRegionsOnceHoweverManyEndpointsThereAre() {
        endpoints(ReservedRegions.X86_MSI).forEach(domain::add);
        endpoints(ReservedRegions.NONE).forEach(domain::add);
        assertEquals(2, domain.reservedSets());
    }

    @Test
    void shouldReserveRegionsUntilTheLastOfItsEndpointsWithThemLeaves() {
        List<Endpoint> some = endpoints(ReservedRegions.X86_MSI);
        List<Endpoint> others = endpoints(ReservedRegions.NONE);
        some.forEach(domain::add);
        others.forEach(domain::add);
        for (int i = 0; i < ENDPOINTS; i++) {
            assertTrue(domain.reserves(DOORBELL, DOORBELL));
            domain.remove(some.get(i));
        }
        assertFalse(domain.reserves(DOORBELL, DOORBELL));
        assertEquals(others, domain.endpoints());
        others.forEach(domain::remove);
        assertTrue(domain.isEmpty());
        assertEquals(0, domain.reservedSets());
        domain.add(some.getFirst());
        assertTrue(domain.reserves(DOORBELL, DOORBELL));
    }
}
