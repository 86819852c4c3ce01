// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.table;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.virtio4j.iommu.table.Mappings.LAST_ADDRESS;
import static org.virtio4j.iommu.table.Mappings.all;
import static org.virtio4j.iommu.table.Mappings.end;
import static org.virtio4j.iommu.table.Mappings.map;
import static org.virtio4j.iommu.table.Mappings.physOf;
import static org.virtio4j.iommu.table.Mappings.start;
import static org.virtio4j.iommu.table.Mappings.tryMap;
import static org.virtio4j.iommu.table.Mappings.unmap;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.virtio4j.iommu.table.MappingTable.Insertion;
import org.virtio4j.iommu.table.MappingTable.Removal;

/** Memory of tables: how much they take, that it comes back, and what happens when there is none. */
final class NodeSpaceTest {

    /** What the product must keep to at a million mappings, all overhead counted. */
    private static final long BYTES_PER_MAPPING = 40;
    private static final int BATCH = 64;

    /** In what order a guest maps the pages 0, 2, 4, … */
    private enum Order { ASCENDING, DESCENDING, SHUFFLED }

    @Test
    void shouldTakeAtMost40BytesForEachOfManyMappingsInAnyOrder() {
        int mappings = isInterpreted() ? 100_000 : 1_000_000;
        for (Order order : Order.values()) {
            try (TableMemory memory = TableMemory.forMappings(mappings)) {
                MappingTable table = memory.table();
                long pages = 0;
                for (long page : pages(order, mappings)) {
                    map(table, page, page);
                    if (++pages % BATCH == 0) {
                        memory.space.reclaim();
                    }
                }
                double bytes = (double) memory.space.bytesKept() / mappings;
                System.out.printf("NodeSpaceTest %s: %.1f bytes a mapping at %d mappings%n", order, bytes, mappings);
                assertTrue(bytes <= BYTES_PER_MAPPING, () -> order + ": " + bytes + " bytes a mapping");
                unmapAll(table, mappings);
            }
        }
    }

    private static void unmapAll(MappingTable table, int mappings) {
        assertEquals(Removal.REMOVED, table.remove(0, LAST_ADDRESS));
        assertEquals(mappings, table.removed());
        table.verify();
    }

    private static boolean isInterpreted() {
        return System.getProperty("java.vm.info", "").contains("interpreted");
    }

    private static long[] pages(Order order, int count) {
        long[] pages = new long[count];
        SplittableRandom random = new SplittableRandom(1);
        for (int i = 0; i < count; i++) {
            pages[i] = 2L * (order == Order.DESCENDING ? count - 1 - i : i);
            if (order == Order.SHUFFLED) {
                int other = random.nextInt(i + 1);
                long page = pages[i];
                pages[i] = pages[other];
                pages[other] = page;
            }
        }
        return pages;
    }

    @Test
    void shouldPackRunsThatGoOnAtTheSameTime() {
        int streams = 4;
        int each = 10_000;
        try (TableMemory memory = TableMemory.forMappings((long) streams * each)) {
            MappingTable table = memory.table();
            for (int i = 0; i < streams * each; i++) {
                long page = ((i % streams + 1L) << 24) + (i % 2 == 0 ? i : -i);
                map(table, page, page);
                memory.space.reclaim();
            }
            assertTrue(memory.space.bytesInUse() <= 30L * streams * each, () -> memory.space.bytesInUse() + " bytes");
        }
    }

    @Test
    void shouldGiveMemoryBackWhenAGuestLeavesOneMappingInEachLeaf() {
        int mappings = 100_000;
        try (TableMemory memory = TableMemory.forMappings(mappings)) {
            MappingTable table = memory.table();
            for (int page = 0; page < mappings; page++) {
                map(table, page, page);
                memory.space.reclaim();
            }
            long full = memory.space.bytesInUse();
            for (int page = 0; page < mappings; page++) {
                if (page % Leaf.CAPACITY != 0) {
                    unmap(table, page, page, 1);
                    memory.space.reclaim();
                }
            }
            table.verify();
            assertEquals(mappings / Leaf.CAPACITY + 1, table.size());
            assertTrue(memory.space.bytesInUse() < full / 10,
                    () -> memory.space.bytesInUse() + " bytes of " + full + " are still in use");
        }
    }

    @Test
    void shouldKeepToItsPromiseWhenAGuestProvokesUnevenSplits() {
        int mappings = 100_000;
        try (TableMemory memory = TableMemory.forMappings(mappings)) {
            MappingTable table = memory.table();
            long blocks = mappings / 64;
            for (long block = 0; block < blocks; block++) {
                for (long page = 0; page < 60; page++) {
                    map(table, block * 1000 + page * 16, block * 1000 + page * 16);
                }
                memory.space.reclaim();
            }
            for (long block = 0; block < blocks; block++) {
                for (long page = 0; page < 60; page += 2) {
                    map(table, block * 1000 + page * 16 + 1, block * 1000 + page * 16 + 1);
                    map(table, block * 1000 + page * 16 + 2, block * 1000 + page * 16 + 2);
                    memory.space.reclaim();
                }
            }
            table.verify();
            assertTrue(memory.space.bytesInUse() < NodeSpace.bytesFor(table.size(), 1));
        }
    }

    @Test
    void shouldLeaveNoNodeBehind() {
        SplittableRandom random = new SplittableRandom(2);
        try (TableMemory memory = TableMemory.forMappings(20_000)) {
            long before = memory.space.nodesInUse();
            MappingTree table = memory.table();
            for (int round = 0; round < 200; round++) {
                for (int i = 0; i < 400; i++) {
                    long page = random.nextInt(30_000);
                    tryMap(table, page, page + random.nextInt(3));
                }
                long page = random.nextInt(30_000);
                table.remove(start(page), end(page + random.nextInt(20_000)));
                memory.space.reclaim();
                assertEquals(before + table.nodes(), memory.space.nodesInUse());
            }
            table.discard();
            assertTrue(memory.space.retired() > 0);
            memory.space.reclaim();
            assertEquals(before, memory.space.nodesInUse());
        }
    }

    // When memory runs out

    @Test
    void shouldChangeNothingWhenTheSpaceIsFull() {
        try (TableMemory memory = TableMemory.ofBytes(NodeSpace.bytesFor(1_000, 1))) {
            MappingTable table = memory.table();
            long pages = fill(memory, table);
            assertEquals(0, memory.space.retired());
            List<String> before = all(table);
            assertEquals(pages, before.size());
            assertEquals(Insertion.FULL, tryMap(table, pages * 2, pages * 2));
            assertEquals(Insertion.FULL, tryMap(table, 1, 1));
            assertEquals(Insertion.OVERLAP, tryMap(table, 0, 0));
            table.verify();
            assertEquals(before, all(table));
            assertEquals(pages, table.size());
            unmap(table, 0, pages, pages / 2 + 1);
            memory.space.reclaim();
            assertEquals(Insertion.INSERTED, tryMap(table, 0, 0));
        }
    }

    /** Maps every other page until not even a grace period helps. */
    private static long fill(TableMemory memory, MappingTable table) {
        long pages = 0;
        while (true) {
            Insertion result = tryMap(table, pages * 2, pages * 2);
            if (result == Insertion.INSERTED) {
                pages++;
            } else if (memory.space.retired() > 0) {
                assertEquals(Insertion.FULL, result);
                memory.space.reclaim();
            } else {
                return pages;
            }
        }
    }

    @Test
    void shouldAlwaysRemoveAfterAGracePeriodHoweverFullTheSpaceIs() {
        long seed = Long.getLong("virtio4j.seed", System.nanoTime());
        System.out.println("NodeSpaceTest -Dvirtio4j.seed=" + seed);
        SplittableRandom random = new SplittableRandom(seed);
        try (TableMemory memory = TableMemory.ofBytes(NodeSpace.bytesFor(400, 4))) {
            MappingTable[] tables = {memory.table(), memory.table(), memory.table()};
            int refused = 0;
            for (int step = 0; step < 30_000; step++) {
                MappingTable table = tables[random.nextInt(tables.length)];
                long page = random.nextInt(100_000);
                if (random.nextInt(10) != 0) {
                    refused += tryMap(table, page, page + random.nextInt(2)) == Insertion.FULL ? 1 : 0;
                } else if (table.remove(start(page), end(page + random.nextInt(3_000))) == Removal.FULL) {
                    assertTrue(memory.space.retired() > 0);
                    memory.space.reclaim();
                    assertFalse(table.remove(start(page), end(page + 1)) == Removal.FULL);
                }
                if (random.nextInt(500) == 0) {
                    memory.space.reclaim();
                }
            }
            assertTrue(refused > 0);
            for (MappingTable table : tables) {
                table.verify();
                table.clear();
            }
        }
    }

    @Test
    void shouldRefuseATableThatDoesNotFit() {
        try (TableMemory memory = TableMemory.ofBytes(NodeSpace.bytesFor(0, 1))) {
            assertTrue(memory.space.hasRoomForTable());
            MappingTree table = memory.table();
            assertFalse(memory.space.hasRoomForTable());
            assertThrows(IllegalStateException.class, memory::table);
            table.discard();
            assertFalse(memory.space.hasRoomForTable());
            memory.space.reclaim();
            assertTrue(memory.space.hasRoomForTable());
        }
    }

    @Test
    void shouldRefuseASegmentThatCannotServe() {
        try (Arena arena = Arena.ofConfined()) {
            long size = NodeSpace.bytesFor(0, 1);
            MemorySegment segment = arena.allocate(size + 64, 4096);
            for (MemorySegment wrong : List.of(segment.asSlice(0, size - 1), segment.asSlice(64, size),
                    MemorySegment.ofArray(new long[(int) size]))) {
                String message = assertThrows(IllegalArgumentException.class, () -> new NodeSpace(wrong)).getMessage();
                assertTrue(String.valueOf(message).startsWith("segment"), message);
            }
        }
    }

    // What verify is good for

    @Test
    void shouldNoticeWhatIsWrongWithATree() {
        try (TableMemory memory = TableMemory.forMappings(3_000)) {
            MappingTree table = memory.table();
            for (int page = 0; page < 3_000; page++) {
                map(table, page * 2L, page * 2L);
                memory.space.reclaim();
            }
            NodeMemory nodes = memory.space.memory();
            long root = Node.rootNode(nodes.base(), table.rootWord());
            long leaf = Node.child(nodes, Node.child(nodes, root, 0), 0);
            long first = Leaf.firstPage(nodes, leaf, 3);
            requireNotice(table, "inverted", () -> Leaf.putMapping(nodes, leaf, 3, first, first - 1, 0));
            requireNotice(table, "overlaps", () -> Leaf.putMapping(nodes, leaf, 3, first - 2, first, 0));
            requireNotice(table, "outside the range", () -> Leaf.putMapping(nodes, leaf, 3, first, first + 1_000, 0));
            Leaf.putMapping(nodes, leaf, 3, first, first, physOf(start(first)));
            table.verify();
            requireNotice(table, "separator", () -> Node.putSeparator(nodes, root, 0, Pages.COUNT));
            long next = Node.child(nodes, Node.child(nodes, root, 1), 0);
            Node.putSeparator(nodes, root, 0, Leaf.lowest(nodes, next));
            table.verify();
            requireNotice(table, "two parents", () -> Node.putChild(nodes, root, 1, Node.child(nodes, root, 0)));
        }
    }

    private static void requireNotice(MappingTree table, String expected, Runnable damage) {
        damage.run();
        String message = assertThrows(IllegalStateException.class, table::verify).getMessage();
        assertTrue(String.valueOf(message).contains(expected), message);
    }
}
