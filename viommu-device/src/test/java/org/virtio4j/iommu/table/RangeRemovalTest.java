// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.table;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.virtio4j.iommu.table.Mappings.READ;
import static org.virtio4j.iommu.table.Mappings.find;
import static org.virtio4j.iommu.table.Mappings.map;
import static org.virtio4j.iommu.table.Mappings.start;
import static org.virtio4j.iommu.table.Mappings.unmap;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Removing ranges over many leaves: where subtrees end, and what it takes. */
final class RangeRemovalTest {

    private static final int PAGES = 20_000;
    private final long seed = Long.getLong("virtio4j.seed", System.nanoTime());
    private final SplittableRandom random = new SplittableRandom(seed);

    @Test
    void shouldSpareWhatLiesJustBehindOrBeforeARangeThatEndsAtANode() {
        System.out.println("RangeRemovalTest -Dvirtio4j.seed=" + seed);
        try (TableMemory memory = TableMemory.forMappings(2 * PAGES)) {
            MappingTree table = filled(memory);
            List<Long> fences = new ArrayList<>();
            long root = table.rootWord();
            NodeMemory nodes = memory.space.memory();
            collectFences(nodes, Node.rootNode(nodes.base(), root), Node.height(root), fences);
            for (long fence : fences) {
                for (long shift = -2; shift <= 1; shift++) {
                    removeAndPutBack(memory, table, Math.max(fence - 150, 1), fence + shift);
                    removeAndPutBack(memory, table, fence + shift, Math.min(fence + 150, PAGES - 2));
                }
            }
        }
    }

    /** The separators above the lowest inner nodes: where more ends than a leaf. */
    private static void collectFences(NodeMemory memory, long node, int level, List<Long> fences) {
        if (level < 2) {
            return;
        }
        for (int slot = 0; slot < Node.children(memory, node); slot++) {
            if (slot + 1 < Node.children(memory, node)) {
                fences.add(Node.separator(memory, node, slot));
            }
            collectFences(memory, Node.child(memory, node, slot), level - 1, fences);
        }
    }

    private void removeAndPutBack(TableMemory memory, MappingTree table, long first, long last) {
        unmap(table, first, last, last - first + 1);
        assertTrue(find(table, start(first - 1), READ).startsWith(Long.toHexString(start(first - 1)) + "-"));
        assertTrue(find(table, start(last + 1), READ).startsWith(Long.toHexString(start(last + 1)) + "-"));
        assertEquals("ABSENT", find(table, start(first), READ));
        assertEquals("ABSENT", find(table, start(last), READ));
        table.verify();
        for (long page = first; page <= last; page++) {
            map(table, page, page);
        }
        memory.space.reclaim();
    }

    @Test
    void shouldTakeFewNodesHoweverLargeTheRangeIs() {
        System.out.println("RangeRemovalTest -Dvirtio4j.seed=" + seed);
        for (int round = 0; round < 6; round++) {
            try (TableMemory memory = TableMemory.forMappings(2 * PAGES)) {
                MappingTree table = filled(memory);
                while (table.size() > 0) {
                    long first = round == 0 ? 0 : random.nextInt(PAGES);
                    long last = round == 0 ? PAGES : first + random.nextInt(PAGES);
                    long most = mostNodes(Node.height(table.rootWord()));
                    long before = memory.space.nodesInUse();
                    table.remove(start(first), start(last + 1) - 1);
                    // Nothing was reclaimed, so what was taken is what is in use now and was not before.
                    long taken = memory.space.nodesInUse() - before;
                    assertTrue(taken <= most, () -> taken + " nodes for pages " + first + " to " + last);
                    table.verify();
                    memory.space.reclaim();
                }
            }
        }
    }

    /**
     * One node for what is dropped to either side on each level, one for each of the leaves at the ends, and two on
     * each level for joining, again at both ends. What the space keeps free is reckoned by that.
     */
    private static long mostNodes(int height) {
        return 2L * height + 2 + 4L * height;
    }

    /** One mapping a page, in any order, so that nodes are filled to different degrees. */
    private MappingTree filled(TableMemory memory) {
        MappingTree table = memory.table();
        int[] pages = new int[PAGES];
        for (int i = 0; i < PAGES; i++) {
            int other = random.nextInt(i + 1);
            pages[i] = pages[other];
            pages[other] = i;
        }
        for (int i = 0; i < PAGES; i++) {
            map(table, pages[i], pages[i]);
            if (i % 64 == 0) {
                memory.space.reclaim();
            }
        }
        return table;
    }
}
