// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.table;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.virtio4j.iommu.table.Mappings.READ_WRITE;
import static org.virtio4j.iommu.table.Mappings.end;
import static org.virtio4j.iommu.table.Mappings.start;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;
import org.virtio4j.iommu.table.MappingTable.Insertion;
import org.virtio4j.iommu.table.MappingTable.Lookup;

/** Nothing that a request or an access does allocates on the heap, in the interpreter as little as in compiled code. */
final class ZeroAllocationTest {

    private static final int PAGES = 5_000;
    /** All of them do the same. In some, code goes from compiled to interpreted, and objects with it to the heap. */
    private static final int ROUNDS = 5;

    private final Mappings.Found found = new Mappings.Found();
    private final Counter counter = new Counter();

    /** A visitor that allocates nothing itself. */
    private static final class Counter implements MappingVisitor {

        private long visited;

        @Override
        public boolean mapping(long virtStart, long virtEnd, long physStart, int flags) {
            visited++;
            return true;
        }
    }

    @Test
    void shouldAllocateNothingInAnyOperation() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        try (TableMemory memory = TableMemory.forMappings(PAGES)) {
            MappingTable table = memory.table();
            long least = Long.MAX_VALUE;
            for (int round = 0; round < ROUNDS; round++) {
                long before = threads.getCurrentThreadAllocatedBytes();
                useAll(table, memory.space);
                least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
            }
            assertEquals(0, least, "bytes allocated in every round");
        }
    }

    private void useAll(MappingTable table, NodeSpace space) {
        int steps = 7;
        for (int i = 0; i < PAGES; i++) {
            long page = (long) i * steps % PAGES * 2;
            boolean inserted = table.insert(start(page), end(page), 0, READ_WRITE) == Insertion.INSERTED;
            boolean refused = table.insert(start(page), end(page), 0, READ_WRITE) == Insertion.OVERLAP;
            require(inserted && refused && table.find(start(page), 1, found) == Lookup.FOUND);
            reclaimSometimes(i, space);
        }
        long seen = counter.visited;
        table.forEach(0, -1L, counter);
        require(counter.visited - seen == table.size());
        for (int i = 0; i < PAGES; i++) {
            long page = (long) i * steps % PAGES * 2;
            require(table.overlaps(start(page), end(page)) == table.wouldSplit(start(page), start(page)));
            table.remove(start(page), end(i % 100 == 0 ? page + 200 : page));
            reclaimSometimes(i, space);
        }
        table.insert(start(1), end(3), 0, READ_WRITE);
        require(table.clear() == 1);
        space.reclaim();
    }

    private static void reclaimSometimes(int step, NodeSpace space) {
        if (step % 64 == 0) {
            space.reclaim();
        }
    }

    /** As {@code assertTrue}, of which one does not know what it allocates. */
    private static void require(boolean holds) {
        if (!holds) {
            assertTrue(holds);
        }
    }
}
