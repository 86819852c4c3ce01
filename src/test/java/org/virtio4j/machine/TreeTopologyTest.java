// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.virtio4j.fixture.Seeds;
import org.virtio4j.machine.tree.TopologyTree;
import org.virtio4j.machine.tree.TreeFormatException;
import org.virtio4j.machine.tree.TreeSettings;

/** What an edit of a device tree leaves of what the tree said, and what it leaves out of a topology. */
class TreeTopologyTest {

    private static final int TOPOLOGIES = 1_000;

    @Test
    void shouldChangeNothingWhenEditedAgain() throws TreeFormatException {
        Random random = new Random(Seeds.next());
        for (int count = 0; count < TOPOLOGIES; count++) {
            RandomTopology drawn = new RandomTopology(random);
            Topology topology = drawn.topology();
            BoardTree board = BoardTree.of(topology, random);
            byte[] edited = TopologyTree.edit(board.blob(), topology, open(board, random));
            byte[] again = TopologyTree.edit(edited, topology, open(board, random));
            expectSame(drawn, new TreeTopology(again));
            assertEquals(edited.length, again.length);
        }
    }

    /** Whatever the tree said before is gone. */
    @Test
    void shouldReplaceAnotherTopology() throws TreeFormatException {
        Random random = new Random(Seeds.next());
        for (int count = 0; count < TOPOLOGIES; count++) {
            RandomTopology before = new RandomTopology(random);
            RandomTopology drawn = new RandomTopology(random);
            BoardTree board = new BoardTree();
            for (int segment = 0; segment < RandomTopology.SEGMENTS; segment++) {
                board.bridge(segment, false);
            }
            Stream.concat(before.windows(), drawn.windows()).distinct().forEach(base -> board.window(base, true));
            byte[] first = TopologyTree.edit(board.blob(), before.topology(), TreeSettings.DEFAULT);
            byte[] second = TopologyTree.edit(first, drawn.topology(), TreeSettings.DEFAULT);
            expectSame(drawn, new TreeTopology(second));
        }
    }

    @Test
    void shouldNameOnlyFunctionsThatArePlugged() throws TreeFormatException {
        Random random = new Random(Seeds.next());
        for (int count = 0; count < TOPOLOGIES; count++) {
            RandomTopology drawn = new RandomTopology(random);
            Topology topology = drawn.topology();
            BoardTree board = BoardTree.of(topology, random);
            Set<PciAddress> plugged = new HashSet<>();
            drawn.asked().stream().filter(place -> topology.endpoint(place).isPresent())
                    .filter(place -> random.nextBoolean())
                    .forEach(place -> plugged.addAll(place instanceof PciAddress address ? Set.of(address) : Set.of()));
            TreeTopology tree = new TreeTopology(TopologyTree.edit(board.blob(), topology,
                    open(board, random).functions(plugged)));
            for (Location place : drawn.asked()) {
                Optional<EndpointId> expected = topology.endpoint(place)
                        .filter(endpoint -> place instanceof MmioBase || plugged.contains(place));
                assertEquals(expected, tree.endpoint(place), () -> place + " of " + topology.scopes());
            }
        }
    }

    @Test
    void shouldPromiseNothingToProtectedFunctions() throws TreeFormatException {
        Random random = new Random(Seeds.next());
        for (int count = 0; count < TOPOLOGIES; count++) {
            RandomTopology drawn = new RandomTopology(random);
            Topology topology = drawn.topology();
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
            for (Location place : drawn.asked()) {
                assertEquals(topology.endpoint(place).filter(endpoint -> !guarded.contains(place)),
                        tree.endpoint(place), () -> place + " of " + topology.scopes());
            }
        }
    }

    /** Windows that do not exist must be described in any case; all else may be left to the search. */
    private static TreeSettings open(BoardTree board, Random random) {
        return random.nextBoolean() ? board.settings() : board.windowsAlone();
    }

    private static void expectSame(RandomTopology drawn, TreeTopology tree) {
        for (Location place : drawn.asked()) {
            assertEquals(drawn.topology().endpoint(place), tree.endpoint(place),
                    () -> place + " of " + drawn.topology().scopes());
        }
    }
}
