// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.table;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.virtio4j.iommu.table.Mappings.LAST_ADDRESS;
import static org.virtio4j.iommu.table.Mappings.LAST_PAGE;
import static org.virtio4j.iommu.table.Mappings.all;
import static org.virtio4j.iommu.table.Mappings.end;
import static org.virtio4j.iommu.table.Mappings.find;
import static org.virtio4j.iommu.table.Mappings.physOf;
import static org.virtio4j.iommu.table.Mappings.start;
import static org.virtio4j.iommu.table.Mappings.touching;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.virtio4j.iommu.table.MappingTable.Insertion;
import org.virtio4j.iommu.table.MappingTable.Removal;

/** Random sequences of all operations on the tree and on the reference side by side. */
final class RandomOperationsTest {

    private static final int STEPS = 12_000;
    /** A run of steps in which mappings rather come, or rather go, so that the tree grows and shrinks. */
    private static final int TIDE = 3_000;

    private final long seed = Long.getLong("virtio4j.seed", System.nanoTime());
    private final SplittableRandom random = new SplittableRandom(seed);

    /** Where mappings lie and how large they are, in pages. */
    enum Distribution {
        /** Everything close together: neighbours, overlaps, full leaves. */
        DENSE(6_000, 4, 60),
        /** One page each, with gaps of one. */
        REGULAR(20_000, 1, 300),
        /** Over the whole address space, from a page to a good part of it. */
        SPARSE(LAST_PAGE + 1, 1L << 44, 1L << 50),
        /** At the very top of the address space. */
        TOP(3_000, 8, 200);

        private final long pages;
        private final long longest;
        private final long longestRange;

        Distribution(long pages, long longest, long longestRange) {
            this.pages = pages;
            this.longest = longest;
            this.longestRange = longestRange;
        }

        private long page(SplittableRandom random) {
            long page = random.nextLong(pages);
            return this == TOP ? LAST_PAGE - page : this == REGULAR ? page & -2L : page;
        }

        /** Small ones are as likely as large ones, whatever the scale. */
        private static long length(SplittableRandom random, long longest) {
            int bits = random.nextInt(Long.SIZE - Long.numberOfLeadingZeros(longest));
            return random.nextLong(1L << bits) + 1;
        }
    }

    @ParameterizedTest
    @EnumSource(Distribution.class)
    void shouldDoWhatTheReferenceDoes(Distribution distribution) {
        System.out.println("RandomOperationsTest " + distribution + " -Dvirtio4j.seed=" + seed);
        try (TableMemory memory = TableMemory.forMappings(30_000)) {
            run(distribution, memory, memory.table(), new ReferenceTable());
        }
    }

    private void run(Distribution distribution, TableMemory memory, MappingTable table, MappingTable reference) {
        for (int step = 0; step < STEPS; step++) {
            boolean flood = step / TIDE % 2 == 0;
            if (random.nextInt(100) < (flood ? 85 : 25)) {
                insert(distribution, table, reference);
            } else {
                remove(distribution, table, reference);
            }
            ask(distribution, table, reference);
            table.verify();
            if (random.nextInt(40) == 0) {
                memory.space.reclaim();
            }
            if (step % 500 == 0) {
                assertEquals(all(reference), all(table));
            }
        }
        assertEquals(all(reference), all(table));
        assertEquals(reference.clear(), table.clear());
        table.verify();
    }

    private void insert(Distribution distribution, MappingTable table, MappingTable reference) {
        long first = distribution.page(random);
        long last = lastPage(first, Distribution.length(random, distribution.longest));
        int flags = random.nextInt(8);
        Insertion expected = reference.insert(start(first), end(last), physOf(start(first)), flags);
        assertEquals(expected, table.insert(start(first), end(last), physOf(start(first)), flags));
    }

    private void remove(Distribution distribution, MappingTable table, MappingTable reference) {
        long first = distribution.page(random);
        long last = lastPage(first, Distribution.length(random, distribution.longestRange));
        long from = start(first) + (random.nextInt(4) == 0 ? random.nextInt(4096) : 0);
        long to = end(last) - (random.nextInt(4) == 0 ? random.nextInt(4096) : 0);
        if (Long.compareUnsigned(from, to) > 0) {
            return;
        }
        assertEquals(reference.wouldSplit(from, to), table.wouldSplit(from, to));
        assertEquals(touching(reference, from, to), touching(table, from, to));
        Removal expected = reference.remove(from, to);
        assertEquals(expected, table.remove(from, to));
        assertEquals(reference.removed(), table.removed());
        assertEquals(reference.size(), table.size());
    }

    private void ask(Distribution distribution, MappingTable table, MappingTable reference) {
        long first = distribution.page(random);
        long last = lastPage(first, Distribution.length(random, distribution.longest));
        long address = start(first) + random.nextInt(4096);
        int required = random.nextInt(4);
        assertEquals(find(reference, address, required), find(table, address, required));
        assertEquals(reference.overlaps(address, end(last)), table.overlaps(address, end(last)));
    }

    private static long lastPage(long first, long length) {
        return first + Math.min(length - 1, LAST_PAGE - first);
    }

    @Test
    void shouldDropRangesOfAHighTreeAsTheReferenceDoes() {
        System.out.println("RandomOperationsTest high tree -Dvirtio4j.seed=" + seed);
        int mappings = 70_000;
        try (TableMemory memory = TableMemory.forMappings(mappings)) {
            MappingTable table = memory.table();
            MappingTable reference = new ReferenceTable();
            for (int round = 0; round < 3; round++) {
                fill(table, reference, mappings, memory);
                while (table.size() > 0) {
                    dropSome(table, reference, mappings);
                    table.verify();
                    memory.space.reclaim();
                }
            }
        }
    }

    private void fill(MappingTable table, MappingTable reference, int mappings, TableMemory memory) {
        for (int i = 0; i < mappings; i++) {
            long page = random.nextInt(mappings * 2);
            assertEquals(reference.insert(start(page), end(page), physOf(start(page)), 1),
                    table.insert(start(page), end(page), physOf(start(page)), 1));
            if (i % 100 == 0) {
                memory.space.reclaim();
            }
        }
        table.verify();
        assertEquals(all(reference), all(table));
    }

    private void dropSome(MappingTable table, MappingTable reference, int mappings) {
        long first = random.nextInt(mappings * 2);
        long last = first + random.nextInt(1 << random.nextInt(18));
        if (random.nextInt(20) == 0) {
            first = 0;
        }
        long to = random.nextInt(20) == 0 ? LAST_ADDRESS : end(last);
        assertEquals(reference.remove(start(first), to), table.remove(start(first), to));
        assertEquals(reference.removed(), table.removed());
        assertEquals(reference.size(), table.size());
        assertEquals(touching(reference, start(Math.max(first - 50, 0)), end(first + 50)),
                touching(table, start(Math.max(first - 50, 0)), end(first + 50)));
    }

    @Test
    void shouldServeALinuxGuestThatMapsFromTheTopDown() {
        System.out.println("RandomOperationsTest descending -Dvirtio4j.seed=" + seed);
        try (TableMemory memory = TableMemory.forMappings(20_000)) {
            MappingTable table = memory.table();
            MappingTable reference = new ReferenceTable();
            long top = 0xfffff;
            for (int step = 0; step < 15_000; step++) {
                long length = 1L << random.nextInt(4);
                long first = top - length + 1;
                assertEquals(reference.insert(start(first), end(top), physOf(start(first)), 3),
                        table.insert(start(first), end(top), physOf(start(first)), 3));
                top = first - 1;
                if (random.nextInt(3) == 0) {
                    unmapOneThatWasFoundByChance(table, reference, top);
                }
                if (step % 16 == 0) {
                    table.verify();
                    memory.space.reclaim();
                }
            }
            assertEquals(all(reference), all(table));
        }
    }

    private void unmapOneThatWasFoundByChance(MappingTable table, MappingTable reference, long top) {
        Mappings.Found found = new Mappings.Found();
        long address = start(top + 1 + random.nextLong(0xfffff - top));
        if (reference.find(address, 0, found) == MappingTable.Lookup.FOUND) {
            assertEquals(Removal.REMOVED, reference.remove(found.virtStart, found.virtEnd));
            assertEquals(Removal.REMOVED, table.remove(found.virtStart, found.virtEnd));
            assertEquals(1, table.removed());
        }
    }
}
