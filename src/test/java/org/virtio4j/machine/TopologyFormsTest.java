// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.virtio4j.fixture.Seeds;
import org.virtio4j.machine.acpi.ViotTable;
import org.virtio4j.machine.tree.TopologyTree;
import org.virtio4j.machine.tree.TreeFormatException;
import org.virtio4j.vmm.GuestMemory;

/** All forms of one topology tell a guest the same. */
class TopologyFormsTest {

    private static final int RANDOM_TOPOLOGIES = 10_000;

    private static final PciAddress ON_PCI = PciAddress.of("00:08.0");
    private static final MmioBase ON_MMIO = new MmioBase(0xa000_0000L);
    private static final MmioBase DISK = new MmioBase(0xa000_0200L);
    private static final MmioBase ENTROPY = new MmioBase(0xa000_0400L);

    /** One machine with two segments, two IOMMUs, and endpoints on PCI and MMIO. */
    private static final Topology TOPOLOGY = Topology.of(
            IommuScope.at(ON_PCI).with(PciRange.ofSegment(0, 0)).with(new MmioEndpoint(DISK, 0x1_0000)),
            IommuScope.at(ON_MMIO).with(new PciRange(1, 0x100, 0x1ff, 0x4000_0000)).with(new MmioEndpoint(ENTROPY, 1)));

    private static final Map<Location, Optional<EndpointId>> EXPECTED = new LinkedHashMap<>();

    static {
        EXPECTED.put(PciAddress.of("00:00.0"), Optional.of(new EndpointId(ON_PCI, 0)));
        EXPECTED.put(PciAddress.of("00:07.7"), Optional.of(new EndpointId(ON_PCI, 0x3f)));
        EXPECTED.put(ON_PCI, Optional.empty());
        EXPECTED.put(PciAddress.of("00:08.1"), Optional.of(new EndpointId(ON_PCI, 0x41)));
        EXPECTED.put(PciAddress.of("ff:1f.7"), Optional.of(new EndpointId(ON_PCI, 0xffff)));
        EXPECTED.put(DISK, Optional.of(new EndpointId(ON_PCI, 0x1_0000)));
        EXPECTED.put(PciAddress.of("0001:00:1f.7"), Optional.empty());
        EXPECTED.put(PciAddress.of("0001:01:00.0"), Optional.of(new EndpointId(ON_MMIO, 0x4000_0000)));
        EXPECTED.put(PciAddress.of("0001:01:1f.7"), Optional.of(new EndpointId(ON_MMIO, 0x4000_00ff)));
        EXPECTED.put(PciAddress.of("0001:02:00.0"), Optional.empty());
        EXPECTED.put(PciAddress.of("0002:01:00.0"), Optional.empty());
        EXPECTED.put(ENTROPY, Optional.of(new EndpointId(ON_MMIO, 1)));
        EXPECTED.put(ON_MMIO, Optional.empty());
    }

    private final GuestMemory memory = GuestMemory.anonymous(0, 4096);

    @AfterEach
    void close() {
        memory.close();
    }

    @Test
    void shouldTellTheSameOfTwoSegmentsAndTwoIommus() throws TreeFormatException {
        Map<String, GuestView> views = views(TOPOLOGY, new Random(Seeds.next()));
        EXPECTED.forEach((device, endpoint) -> {
            assertEquals(endpoint, TOPOLOGY.endpoint(device), () -> "the topology itself: " + device);
            views.forEach((form, view) -> assertEquals(endpoint, view.endpoint(device), () -> form + ": " + device));
        });
    }

    @Test
    void shouldTellTheSameOfRandomTopologies() throws TreeFormatException {
        Random random = new Random(Seeds.next());
        int found = 0;
        for (int i = 0; i < RANDOM_TOPOLOGIES; i++) {
            RandomTopology drawn = new RandomTopology(random);
            Map<String, GuestView> views = views(drawn.topology(), random);
            for (Location device : drawn.asked()) {
                Optional<EndpointId> endpoint = drawn.topology().endpoint(device);
                found += endpoint.isPresent() ? 1 : 0;
                views.forEach((form, view) -> assertEquals(endpoint, view.endpoint(device),
                        () -> form + ": " + device + " in " + drawn.topology().scopes()));
            }
        }
        assertTrue(found > RANDOM_TOPOLOGIES, "endpoints that were found: " + found);
    }

    private Map<String, GuestView> views(Topology topology, Random random) throws TreeFormatException {
        BoardTree board = BoardTree.of(topology, random);
        FlatTree underOverlay = FlatTree.of(board.blob());
        underOverlay.apply(FlatTree.of(TopologyTree.overlay(topology, board.settings())));
        Map<String, GuestView> views = new LinkedHashMap<>();
        views.put("VIOT", new ViotGuest(ViotTable.table(topology)));
        views.put("tree", new TreeTopology(TopologyTree.edit(board.blob(), topology,
                random.nextBoolean() ? board.settings() : board.windowsAlone())));
        views.put("overlay", new TreeTopology(underOverlay));
        views.put("configuration", new ConfigGuest(topology, memory));
        return views;
    }
}
