// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.table;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.virtio4j.iommu.table.Mappings.LAST_ADDRESS;
import static org.virtio4j.iommu.table.Mappings.all;
import static org.virtio4j.iommu.table.Mappings.end;
import static org.virtio4j.iommu.table.Mappings.map;
import static org.virtio4j.iommu.table.Mappings.physOf;
import static org.virtio4j.iommu.table.Mappings.start;
import static org.virtio4j.iommu.table.Mappings.unmap;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.iommu.table.MappingTable.Removal;
import org.virtio4j.os.memory.NativeMemory;
import org.virtio4j.vmm.HostMemory;

/** What goes back to the system when mappings go. */
final class GivenBackMemoryTest {

    private static final boolean INTERPRETED = System.getProperty("java.vm.info", "").contains("interpreted");
    private static final int MAPPINGS = INTERPRETED ? 300_000 : 1_000_000;
    private static final int TABLES = 4;
    private static final int BATCH = 64;
    /** By the golden ratio, so that pages that follow each other lie far apart. */
    private static final long STRIDE = 2_654_435_761L;

    /** Two pools keep this, each. */
    private static final long MOST_KEPT = 2 * NodePool.KEPT;
    /** Where nodes and both kinds of references begin or end, in each pool, a huge page may lie. */
    private static final long EDGES = 2 * 3 * (2L << 20);

    /** How a guest takes its mappings away. */
    enum Way { AT_ONCE, IN_64_PARTS, ONE_BY_ONE, ONE_BY_ONE_IN_NO_ORDER, BY_THE_END_OF_ITS_DOMAINS }

    private final long seed = Long.getLong("virtio4j.seed", System.nanoTime());

    @ParameterizedTest
    @EnumSource(Way.class)
    void shouldGiveMemoryBackWhenEverythingIsUnmapped(Way way) {
        HostMemory memory = HostMemory.collected(NodeSpace.bytesFor(MAPPINGS, TABLES));
        try (NodeSpace space = new NodeSpace(memory)) {
            MappingTree[] tables = tables(space);
            long empty = space.bytesInUse();
            fill(space, tables, way == Way.ONE_BY_ONE_IN_NO_ORDER);
            long full = space.bytesInUse();
            assertEquals(0, space.bytesGivenBack());

            take(way, space, tables);

            assertTrue(space.bytesInUse() <= empty, () -> space.bytesInUse() + " bytes are in use");
            assertTrue(space.bytesKept() <= empty + MOST_KEPT, () -> space.bytesKept() + " bytes are kept");
            assertTrue(space.bytesGivenBack() >= full - MOST_KEPT, () -> space.bytesGivenBack() + " bytes of " + full);
            discard(space, tables);
            assumeTrue(NativeMemory.available(), "what goes back cannot be told to the system");
            long resident = ResidentPages.bytes(memory.segment());
            System.out.println("GivenBackMemoryTest " + way + ": full=" + full + " resident=" + resident);
            assertTrue(resident <= space.bytesKept() + EDGES, () -> resident + " bytes are resident");
        }
    }

    private static MappingTree[] tables(NodeSpace space) {
        MappingTree[] tables = new MappingTree[TABLES];
        for (int i = 0; i < TABLES; i++) {
            tables[i] = new MappingTree(space);
        }
        return tables;
    }

    /** Every second page, in all tables in turns. */
    private static void fill(NodeSpace space, MappingTree[] tables, boolean shuffled) {
        for (int i = 0; i < MAPPINGS; i++) {
            long page = page(i, shuffled);
            map(tables[i % TABLES], page, page);
            reclaimAfter(i, space);
        }
        space.reclaim();
    }

    private static long page(int index, boolean shuffled) {
        return 2 * (shuffled ? index * STRIDE % MAPPINGS : index);
    }

    private static void reclaimAfter(int request, NodeSpace space) {
        if (request % BATCH == BATCH - 1) {
            space.reclaim();
        }
    }

    private static void take(Way way, NodeSpace space, MappingTree[] tables) {
        switch (way) {
            case AT_ONCE -> takeParts(space, tables, 1);
            case IN_64_PARTS -> takeParts(space, tables, 64);
            case ONE_BY_ONE, ONE_BY_ONE_IN_NO_ORDER -> {
                for (int i = 0; i < MAPPINGS; i++) {
                    long page = page(i, way == Way.ONE_BY_ONE_IN_NO_ORDER);
                    unmap(tables[i % TABLES], page, page, 1);
                    reclaimAfter(i, space);
                }
            }
            case BY_THE_END_OF_ITS_DOMAINS -> discard(space, tables);
        }
        space.reclaim();
    }

    private static void takeParts(NodeSpace space, MappingTree[] tables, int parts) {
        long pages = 2L * MAPPINGS;
        for (int part = 0; part < parts; part++) {
            for (MappingTree table : tables) {
                table.remove(start(pages * part / parts), end(pages * (part + 1) / parts - 1));
            }
            space.reclaim();
        }
    }

    private static void discard(NodeSpace space, MappingTree[] tables) {
        for (MappingTree table : tables) {
            table.discard();
        }
        space.reclaim();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 1_000, 1 << 16})
    void shouldAskTheSystemForNothingWhenAGuestMapsAndUnmapsTheSameAgainAndAgain(int mappings) {
        try (NodeSpace space = new NodeSpace(HostMemory.collected(NodeSpace.bytesFor(MAPPINGS, 1)))) {
            MappingTree table = new MappingTree(space);
            for (int round = 0; round < 20; round++) {
                for (int i = 0; i < mappings; i++) {
                    map(table, 2L * i, 2L * i);
                    reclaimAfter(i, space);
                }
                unmap(table, 0, 2L * mappings, mappings);
                space.reclaim();
            }
            assertEquals(0, space.bytesGivenBack());
            table.discard();
            space.reclaim();
        }
    }

    /** A mapping keeps its leaf, and a leaf its piece of 64 KiB, until the last leaf of the piece is free. */
    @Test
    void shouldKeepAPieceUntilItsLastLeafIsFree() {
        assumeTrue(NativeMemory.available(), "what goes back cannot be told to the system");
        int mappings = 80_000;
        int leavesOfPiece = (int) (Pieces.SIZE / Leaf.SIZE);
        HostMemory memory = HostMemory.collected(NodeSpace.bytesFor(mappings, 1));
        try (NodeSpace space = new NodeSpace(memory, 0)) {
            MappingTree table = new MappingTree(space);
            for (int page = 0; page < mappings; page++) {
                map(table, page, page);
                reclaimAfter(page, space);
            }
            long full = ResidentPages.bytes(memory.segment());
            unmapLeaves(space, table, mappings, leavesOfPiece / 2);
            table.verify();
            assertTrue(space.bytesInUse() < full / 20, () -> space.bytesInUse() + " bytes are in use");
            long held = ResidentPages.bytes(memory.segment());
            assertTrue(held > full * 9 / 10, () -> held + " bytes of " + full + " are resident");

            unmap(table, 0, mappings, table.size());
            space.reclaim();
            long left = ResidentPages.bytes(memory.segment());
            assertTrue(left <= 8 * Pieces.SIZE, () -> left + " bytes are resident");
            table.discard();
            space.reclaim();
        }
    }

    /** All leaves but every so many. */
    private static void unmapLeaves(NodeSpace space, MappingTable table, int mappings, int every) {
        for (int leaf = 0; leaf < mappings / Leaf.CAPACITY; leaf++) {
            if (leaf % every != 0) {
                long first = (long) leaf * Leaf.CAPACITY;
                unmap(table, first, first + Leaf.CAPACITY - 1, Leaf.CAPACITY);
            }
            reclaimAfter(leaf, space);
        }
        space.reclaim();
    }

    /** What goes back reads as zeros, so that a node in use among it would be missed at once. */
    @ParameterizedTest
    @ValueSource(longs = {0, 64 << 10, 256 << 10})
    void shouldDoWhatTheReferenceDoesWhileMemoryGoesBack(long kept) {
        System.out.println("GivenBackMemoryTest kept=" + kept + " -Dvirtio4j.seed=" + seed);
        SplittableRandom random = new SplittableRandom(seed);
        int most = 40_000;
        try (NodeSpace space = new NodeSpace(HostMemory.collected(NodeSpace.bytesFor(2L * most, 2)), kept)) {
            MappingTree table = new MappingTree(space);
            MappingTable reference = new ReferenceTable();
            for (int round = 0; round < 12; round++) {
                grow(random, space, table, reference, 1 + random.nextInt(most));
                shrink(random, space, table, reference, most);
                assertEquals(all(reference), all(table));
                table.verify();
                assertEquals(1 + table.nodes(), space.nodesInUse());
                assertTrue(space.bytesKept() <= space.bytesInUse() * 65 / 64 + 2 * kept + 2 * Pieces.SIZE);
            }
            assertTrue(space.bytesGivenBack() > 0);
            table.discard();
            space.reclaim();
        }
    }

    private static void grow(SplittableRandom random, NodeSpace space, MappingTable table, MappingTable reference,
            int mappings) {
        for (int i = 0; i < mappings; i++) {
            long page = random.nextInt(mappings * 2);
            assertEquals(reference.insert(start(page), end(page), physOf(start(page)), 1),
                    table.insert(start(page), end(page), physOf(start(page)), 1));
            if (i % 100 == 0) {
                space.reclaim();
            }
        }
        table.verify();
    }

    private static void shrink(SplittableRandom random, NodeSpace space, MappingTable table, MappingTable reference,
            int most) {
        long left = random.nextInt(3) == 0 ? 0 : random.nextInt(1_000);
        while (table.size() > left) {
            long first = random.nextInt(most * 2);
            long last = first + random.nextInt(1 << random.nextInt(17));
            long to = random.nextInt(40) == 0 ? LAST_ADDRESS : end(last);
            Removal expected = reference.remove(start(first), to);
            assertEquals(expected, table.remove(start(first), to));
            if (random.nextInt(4) == 0) {
                table.verify();
                space.reclaim();
            }
        }
        space.reclaim();
    }
}
