// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.virtio4j.fixture.Seeds;
import org.virtio4j.machine.tree.TopologyTree;
import org.virtio4j.machine.tree.TreeFormatException;
import org.virtio4j.machine.tree.TreeSettings;

/** Random topologies, told to a guest by a device tree: what the guest finds is what was put in. */
class TreeTopologyTest {

    private static final int TOPOLOGIES = 10_000;
    private static final int WINDOWS = 12;

    @Test
    void shouldFindTheSameEndpointsInAnEditedTree() throws TreeFormatException {
        Random random = new Random(Seeds.next());
        for (int count = 0; count < TOPOLOGIES; count++) {
            Topology topology = topology(random);
            BoardTree board = BoardTree.of(topology, random);
            byte[] edited = TopologyTree.edit(board.blob(), topology, open(board, random));
            expectSame(topology, new TreeTopology(edited), random);
            byte[] again = TopologyTree.edit(edited, topology, open(board, random));
            expectSame(topology, new TreeTopology(again), random);
            assertEquals(edited.length, again.length);
        }
    }

    @Test
    void shouldFindTheSameEndpointsAfterAnOverlay() {
        Random random = new Random(Seeds.next());
        for (int count = 0; count < TOPOLOGIES; count++) {
            Topology topology = topology(random);
            BoardTree board = BoardTree.of(topology, random);
            FlatTree tree = FlatTree.of(board.blob());
            tree.apply(FlatTree.of(TopologyTree.overlay(topology, board.settings())));
            expectSame(topology, new TreeTopology(tree), random);
        }
    }

    /** Whatever the tree said before is gone. */
    @Test
    void shouldReplaceAnotherTopology() throws TreeFormatException {
        Random random = new Random(Seeds.next());
        for (int count = 0; count < TOPOLOGIES / 10; count++) {
            Topology before = topology(random);
            Topology topology = topology(random);
            BoardTree board = BoardTree.of(Topology.of(), random);
            for (int segment = 1; segment < 3; segment++) {
                board.bridge(segment, false);
            }
            for (int window = 0; window < WINDOWS; window++) {
                board.window(window(window), true);
            }
            byte[] first = TopologyTree.edit(board.blob(), before, TreeSettings.DEFAULT);
            byte[] second = TopologyTree.edit(first, topology, TreeSettings.DEFAULT);
            expectSame(topology, new TreeTopology(second), random);
        }
    }

    @Test
    void shouldNameOnlyFunctionsThatArePlugged() throws TreeFormatException {
        Random random = new Random(Seeds.next());
        for (int count = 0; count < TOPOLOGIES / 10; count++) {
            Topology topology = topology(random);
            BoardTree board = BoardTree.of(topology, random);
            Set<PciAddress> plugged = new HashSet<>();
            places(topology, random).stream().filter(place -> topology.endpoint(place).isPresent())
                    .filter(place -> random.nextBoolean())
                    .forEach(place -> plugged.addAll(place instanceof PciAddress address ? Set.of(address) : Set.of()));
            TreeTopology tree = new TreeTopology(TopologyTree.edit(board.blob(), topology,
                    open(board, random).functions(plugged)));
            for (Location place : places(topology, random)) {
                Optional<EndpointId> expected = topology.endpoint(place)
                        .filter(endpoint -> place instanceof MmioBase || plugged.contains(place));
                assertEquals(expected, tree.endpoint(place), () -> place + " of " + topology.scopes());
            }
        }
    }

    @Test
    void shouldPromiseNothingToProtectedFunctions() throws TreeFormatException {
        Random random = new Random(Seeds.next());
        for (int count = 0; count < TOPOLOGIES / 10; count++) {
            Topology topology = topology(random);
            BoardTree board = BoardTree.of(topology, random);
            Set<Location> guarded = new HashSet<>();
            for (int functions = random.nextInt(4); functions > 0; functions--) {
                PciAddress address = PciAddress.of(0, random.nextInt(0x100));
                if (topology.scope(address).isEmpty()) {
                    guarded.add(address);
                }
            }
            TreeTopology tree = new TreeTopology(TopologyTree.edit(board.blob(), topology,
                    open(board, random).protect(guarded.toArray(Location[]::new))));
            for (Location place : guarded) {
                assertTrue(tree.endpoint(place).isEmpty(), () -> place + " of " + topology.scopes());
            }
            for (Location place : places(topology, random)) {
                assertEquals(topology.endpoint(place).filter(endpoint -> !guarded.contains(place)),
                        tree.endpoint(place), () -> place + " of " + topology.scopes());
            }
        }
    }

    /** Windows that do not exist must be described in any case; all else may be left to the search. */
    private static TreeSettings open(BoardTree board, Random random) {
        return random.nextBoolean() ? board.settings() : board.windowsAlone();
    }

    private static void expectSame(Topology topology, TreeTopology tree, Random random) {
        for (Location place : places(topology, random)) {
            assertEquals(topology.endpoint(place), tree.endpoint(place), () -> place + " of " + topology.scopes());
        }
    }

    /** The ends of all ranges and what is beside them, the IOMMUs, all windows, and others. */
    private static List<Location> places(Topology topology, Random random) {
        List<Location> places = new ArrayList<>();
        for (IommuScope scope : topology.scopes()) {
            places.add(scope.location());
            scope.endpoints().forEach(endpoint -> places.add(endpoint.base()));
            for (PciRange range : scope.ranges()) {
                for (int bdf : new int[] {range.bdfStart() - 1, range.bdfStart(), range.bdfEnd(), range.bdfEnd() + 1}) {
                    places.add(PciAddress.of(range.segment(), bdf & 0xffff));
                }
            }
        }
        for (int count = 0; count < 10; count++) {
            places.add(PciAddress.of(random.nextInt(3), random.nextInt(0x10000)));
        }
        places.add(window(random.nextInt(WINDOWS)));
        return places;
    }

    private static MmioBase window(int number) {
        return new MmioBase(number % 2 == 0 ? 0xa00_0000L + number * 0x200 : 0x80_0000_0000L + number * 0x1000L);
    }

    private static Topology topology(Random random) {
        List<IommuScope> scopes = new ArrayList<>();
        Set<PciAddress> places = new HashSet<>();
        for (int count = 1 + random.nextInt(3); count > 0; count--) {
            PciAddress place = new PciAddress(random.nextInt(3), 0, random.nextInt(32), random.nextInt(8));
            scopes.add(IommuScope.at(random.nextInt(3) == 0 || !places.add(place) ? window(count) : place));
        }
        for (int segment = random.nextInt(3); segment >= 0; segment--) {
            int bdf = random.nextInt(0x40);
            while (bdf <= 0xffff) {
                int end = Math.min(0xffff, bdf + random.nextInt(1 << random.nextInt(17)));
                int start = segment << 16 | bdf | random.nextInt(4) << 20;
                add(scopes, new PciRange(segment, bdf, end, start), random);
                bdf = end + 1 + random.nextInt(0x4000);
            }
        }
        for (int window = 4; window < WINDOWS; window++) {
            if (random.nextInt(3) == 0) {
                int scope = random.nextInt(scopes.size());
                scopes.set(scope, scopes.get(scope).with(
                        new MmioEndpoint(window(window), 0x8000_0000 + random.nextInt(1000) * WINDOWS + window)));
            }
        }
        return Topology.of(scopes);
    }

    private static void add(List<IommuScope> scopes, PciRange range, Random random) {
        int scope = random.nextInt(scopes.size());
        scopes.set(scope, scopes.get(scope).with(range));
    }
}
