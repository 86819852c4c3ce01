// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.table;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.virtio4j.iommu.table.Mappings.READ;
import static org.virtio4j.iommu.table.Mappings.READ_WRITE;
import static org.virtio4j.iommu.table.Mappings.end;
import static org.virtio4j.iommu.table.Mappings.physOf;
import static org.virtio4j.iommu.table.Mappings.start;
import static org.virtio4j.iommu.table.Mappings.tryMap;

import java.lang.invoke.VarHandle;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.virtio4j.iommu.table.MappingTable.Lookup;

/**
 * One thread looks up, another changes everything around what is looked up and reuses nodes as soon as it may. Pillars
 * are mappings that stay for the whole test; between them mappings come and go, one by one and in whole ranges.
 */
final class ReadersBesideAWriterTest {

    private static final int PILLARS = 64;
    /** Pages from one pillar to the next: room for several leaves. */
    private static final int SPACING = 600;
    private static final int CHANGES = 300_000;
    private static final int BATCH = 16;
    private static final int LOOKUPS_A_SECTION = 8;

    private final long seed = Long.getLong("virtio4j.seed", System.nanoTime());

    /** Odd inside a section, even outside; what a grace period needs to know of the one reader. */
    private final AtomicLong section = new AtomicLong();
    private volatile boolean writing = true;
    /** Mappings that are no pillars. */
    private long between;

    @Test
    void shouldAlwaysFindWhatStaysWhileEverythingAroundItChanges() throws Exception {
        System.out.println("ReadersBesideAWriterTest -Dvirtio4j.seed=" + seed);
        try (TableMemory memory = TableMemory.forMappings(PILLARS * SPACING)) {
            MappingTable table = memory.table();
            for (int pillar = 0; pillar < PILLARS; pillar++) {
                Mappings.map(table, pageOf(pillar), pageOf(pillar));
            }
            CompletableFuture<Long> reader = CompletableFuture.supplyAsync(() -> read(table));
            try {
                write(table, memory.space);
            } finally {
                writing = false;
            }
            System.out.println("ReadersBesideAWriterTest look-ups: " + reader.get());
            table.verify();
            assertEquals(PILLARS + between, table.clear());
        }
    }

    private static long pageOf(int pillar) {
        return (long) pillar * SPACING;
    }

    // The reader

    private long read(MappingTable table) {
        SplittableRandom random = new SplittableRandom(seed + 1);
        Mappings.Found found = new Mappings.Found();
        long lookups = 0;
        while (writing) {
            section.setOpaque(section.getPlain() + 1);
            VarHandle.fullFence();
            try {
                for (int i = 0; i < LOOKUPS_A_SECTION; i++) {
                    readPillar(table, pageOf(random.nextInt(PILLARS)), found);
                    readBetween(table, start(random.nextInt(PILLARS * SPACING)), found);
                    lookups += 2;
                }
            } finally {
                section.setRelease(section.getPlain() + 1);
            }
        }
        return lookups;
    }

    private static void readPillar(MappingTable table, long page, Mappings.Found found) {
        Lookup lookup = table.find(start(page) + 5, READ, found);
        if (lookup != Lookup.FOUND || found.virtStart != start(page) || found.virtEnd != end(page)
                || found.physStart != physOf(start(page)) || found.permitted != READ_WRITE) {
            throw new AssertionError("pillar at page " + page + ": " + lookup + found);
        }
    }

    /** A mapping that comes and goes is there wholly or not at all. */
    private static void readBetween(MappingTable table, long address, Mappings.Found found) {
        Lookup lookup = table.find(address, READ, found);
        boolean whole = Long.compareUnsigned(found.virtStart, address) <= 0
                && Long.compareUnsigned(found.virtEnd, address) >= 0
                && found.physStart == physOf(found.virtStart) && found.permitted == READ_WRITE;
        if (lookup == Lookup.DENIED || (lookup == Lookup.FOUND && !whole)) {
            throw new AssertionError("address " + Long.toHexString(address) + ": " + lookup + found);
        }
    }

    // The writer

    private void write(MappingTable table, NodeSpace space) {
        SplittableRandom random = new SplittableRandom(seed);
        for (int change = 0; change < CHANGES; change++) {
            long pillar = pageOf(random.nextInt(PILLARS));
            long first = pillar + 1 + random.nextInt(SPACING - 1);
            long last = Math.min(pillar + SPACING - 1, first + random.nextInt(4));
            if (random.nextInt(150) == 0) {
                remove(table, pillar + 1, pillar + SPACING - 1);
            } else if (random.nextInt(4) == 0) {
                remove(table, first, last);
            } else if (tryMap(table, first, last) == MappingTable.Insertion.INSERTED) {
                between++;
            }
            if (change % BATCH == 0) {
                waitForReader();
                space.reclaim();
            }
        }
    }

    private void remove(MappingTable table, long firstPage, long lastPage) {
        table.remove(start(firstPage), end(lastPage));
        between -= table.removed();
    }

    private void waitForReader() {
        VarHandle.fullFence();
        long seen = section.getAcquire();
        while (seen % 2 == 1 && section.getAcquire() == seen && writing) {
            Thread.onSpinWait();
        }
    }
}
