// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.table;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.virtio4j.iommu.table.Mappings.LAST_ADDRESS;
import static org.virtio4j.iommu.table.Mappings.LAST_PAGE;
import static org.virtio4j.iommu.table.Mappings.MMIO;
import static org.virtio4j.iommu.table.Mappings.PAGE;
import static org.virtio4j.iommu.table.Mappings.READ;
import static org.virtio4j.iommu.table.Mappings.READ_WRITE;
import static org.virtio4j.iommu.table.Mappings.WRITE;
import static org.virtio4j.iommu.table.Mappings.all;
import static org.virtio4j.iommu.table.Mappings.end;
import static org.virtio4j.iommu.table.Mappings.find;
import static org.virtio4j.iommu.table.Mappings.map;
import static org.virtio4j.iommu.table.Mappings.start;
import static org.virtio4j.iommu.table.Mappings.touching;
import static org.virtio4j.iommu.table.Mappings.tryMap;
import static org.virtio4j.iommu.table.Mappings.unmap;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.virtio4j.iommu.table.MappingTable.Insertion;
import org.virtio4j.iommu.table.MappingTable.Removal;

/** What every mapping table does, the reference of the other tests included. */
abstract class MappingTableTests {

    /** An empty table. */
    abstract MappingTable table();

    // The worked examples of virtio 1.4, section 5.13.6.6; one page stands for one address there

    @Test
    void shouldRemoveNothingFromAnEmptyTableAsInExample1() {
        MappingTable table = table();
        unmap(table, 0, 4, 0);
    }

    @Test
    void shouldRemoveTheWholeMappingAsInExample2() {
        MappingTable table = table();
        map(table, 0, 9);
        unmap(table, 0, 9, 1);
        assertEquals(0, table.size());
    }

    @Test
    void shouldRemoveTwoAdjacentMappingsAsInExample3() {
        MappingTable table = table();
        map(table, 0, 4);
        map(table, 5, 9);
        unmap(table, 0, 9, 2);
        assertEquals(0, table.size());
    }

    @Test
    void shouldRefuseToSplitAsInExample4() {
        MappingTable table = table();
        map(table, 0, 9);
        assertEquals(Removal.WOULD_SPLIT, table.remove(start(0), end(4)));
        assertEquals(0, table.removed());
        assertEquals(1, table.size());
    }

    @Test
    void shouldLeaveTheNeighbourAsInExample5() {
        MappingTable table = table();
        map(table, 0, 4);
        map(table, 5, 9);
        unmap(table, 0, 4, 1);
        assertEquals(touching(table, start(5), end(9)), all(table));
    }

    @Test
    void shouldIgnoreTheGapBehindAsInExample6() {
        MappingTable table = table();
        map(table, 0, 4);
        unmap(table, 0, 9, 1);
        assertEquals(0, table.size());
    }

    @Test
    void shouldIgnoreTheGapBetweenAsInExample7() {
        MappingTable table = table();
        map(table, 0, 4);
        map(table, 10, 14);
        unmap(table, 0, 14, 2);
        assertEquals(0, table.size());
    }

    // Look-up

    @Test
    void shouldEmitTheWholeMappingForEachOfItsAddresses() {
        MappingTable table = table();
        table.insert(start(5), end(7), 0x40000, READ_WRITE);
        String expected = "5000-7fff>40000:3";
        assertEquals(expected, find(table, start(5), READ));
        assertEquals(expected, find(table, start(6) + 17, WRITE));
        assertEquals(expected, find(table, end(7), READ_WRITE));
        assertEquals("ABSENT", find(table, start(5) - 1, READ));
        assertEquals("ABSENT", find(table, end(7) + 1, READ));
    }

    @Test
    void shouldDenyWhatTheFlagsDoNotGive() {
        MappingTable table = table();
        table.insert(start(1), end(1), 0, READ);
        table.insert(start(2), end(2), 0, WRITE | MMIO);
        table.insert(start(3), end(3), 0, 0);
        assertEquals("DENIED", find(table, start(1), WRITE));
        assertEquals("DENIED", find(table, start(1), READ_WRITE));
        assertEquals("1000-1fff>0:1", find(table, start(1), READ));
        assertEquals("DENIED", find(table, start(2), READ));
        assertEquals("2000-2fff>0:2", find(table, start(2), WRITE));
        assertEquals("DENIED", find(table, start(3), READ));
        assertEquals("3000-3fff>0:0", find(table, start(3), 0));
    }

    @Test
    void shouldFindNothingInAnEmptyTable() {
        MappingTable table = table();
        assertEquals("ABSENT", find(table, 0, 0));
        assertEquals("ABSENT", find(table, LAST_ADDRESS, READ));
        assertFalse(table.overlaps(0, LAST_ADDRESS));
        assertFalse(table.wouldSplit(0, LAST_ADDRESS));
        assertEquals(0, table.clear());
    }

    // The ends of the address space

    @Test
    void shouldHoldTheWholeAddressSpaceInOneMapping() {
        MappingTable table = table();
        map(table, 0, LAST_PAGE);
        assertEquals(find(table, 0, READ), find(table, LAST_ADDRESS, READ));
        assertEquals(Insertion.OVERLAP, tryMap(table, 0, 0));
        assertEquals(Insertion.OVERLAP, tryMap(table, LAST_PAGE, LAST_PAGE));
        assertTrue(table.wouldSplit(0, LAST_ADDRESS - 1));
        assertTrue(table.wouldSplit(1, LAST_ADDRESS));
        assertEquals(Removal.WOULD_SPLIT, table.remove(start(1), end(1)));
        unmap(table, 0, LAST_PAGE, 1);
        table.verify();
    }

    @Test
    void shouldHoldTheFirstAndTheLastPageApart() {
        MappingTable table = table();
        map(table, LAST_PAGE, LAST_PAGE);
        map(table, 0, 0);
        assertEquals("ABSENT", find(table, start(1), READ));
        assertEquals("ABSENT", find(table, start(LAST_PAGE) - 1, READ));
        assertTrue(find(table, 0, READ).startsWith("0-fff>"));
        assertTrue(find(table, LAST_ADDRESS, READ).startsWith("fffffffffffff000-ffffffffffffffff>"));
        assertEquals(2, all(table).size());
        unmap(table, 1, LAST_PAGE, 1);
        unmap(table, 0, LAST_PAGE, 1);
    }

    @Test
    void shouldKeepMappingsAboveTheSignBitBehindThoseBelow() {
        MappingTable table = table();
        long half = LAST_PAGE / 2;
        map(table, half + 1, half + 2);
        map(table, half - 1, half - 1);
        map(table, half, half);
        assertEquals(List.of(find(table, start(half - 1), 0), find(table, start(half), 0),
                find(table, end(half + 2), 0)),
                all(table));
        assertTrue(table.wouldSplit(start(half), end(half + 1)));
        unmap(table, half, half + 2, 2);
    }

    // Overlap

    @Test
    void shouldRefuseWhateverTouchesAMapping() {
        MappingTable table = table();
        map(table, 10, 19);
        long[][] touching = {{10, 19}, {9, 10}, {19, 20}, {12, 13}, {0, LAST_PAGE}, {10, 10}, {19, 19}, {0, 15}};
        for (long[] range : touching) {
            assertTrue(table.overlaps(start(range[0]), end(range[1])));
            assertEquals(Insertion.OVERLAP, tryMap(table, range[0], range[1]));
        }
        assertEquals(1, table.size());
        assertFalse(table.overlaps(0, end(9)));
        assertFalse(table.overlaps(start(20), LAST_ADDRESS));
        assertTrue(table.overlaps(end(9) + 1, end(9) + 1));
        map(table, 9, 9);
        map(table, 20, LAST_PAGE);
        assertEquals(3, table.size());
    }

    // Ranges that no mapping has

    @Test
    void shouldTreatUnalignedRangesByTheirAddresses() {
        MappingTable table = table();
        map(table, 2, 3);
        assertTrue(table.wouldSplit(start(2) + 1, end(3)));
        assertTrue(table.wouldSplit(start(2), end(3) - 1));
        assertTrue(table.wouldSplit(start(1), start(2)));
        assertTrue(table.wouldSplit(end(3), end(9)));
        assertTrue(table.wouldSplit(start(2) + 5, start(2) + 6));
        assertFalse(table.wouldSplit(start(2) - 1, end(3) + 1));
        assertFalse(table.wouldSplit(0, start(2) - 1));
        assertFalse(table.wouldSplit(end(3) + 1, LAST_ADDRESS));
        assertEquals(Removal.WOULD_SPLIT, table.remove(start(2) + 1, end(3)));
        assertEquals(Removal.REMOVED, table.remove(start(2) - 1, end(3) + 1));
        assertEquals(1, table.removed());
    }

    @Test
    void shouldRemoveNothingBetweenMappings() {
        MappingTable table = table();
        map(table, 1, 1);
        map(table, 4, 4);
        unmap(table, 2, 3, 0);
        assertEquals(Removal.REMOVED, table.remove(start(2) + 1, start(3) + 1));
        assertEquals(Removal.REMOVED, table.remove(start(2), start(2)));
        assertEquals(0, table.removed());
        assertEquals(2, table.size());
    }

    @Test
    void shouldRefuseTheWholeRangeWhenOnlyItsEndWouldSplit() {
        MappingTable table = table();
        for (int page = 0; page < 200; page++) {
            map(table, page, page);
        }
        map(table, 200, 300);
        assertEquals(Removal.WOULD_SPLIT, table.remove(0, end(250)));
        assertEquals(201, table.size());
        assertEquals(201, all(table).size());
        unmap(table, 0, 300, 201);
    }

    // Walks

    @Test
    void shouldWalkWhatTouchesTheRangeUntilTheVisitorHasEnough() {
        MappingTable table = table();
        for (int page = 0; page < 1000; page += 2) {
            map(table, page, page);
        }
        assertEquals(500, all(table).size());
        assertEquals(List.of(find(table, start(100), 0), find(table, start(102), 0)),
                touching(table, end(100), start(102)));
        assertEquals(List.of(), touching(table, start(101), end(101)));
        List<Long> seen = new ArrayList<>();
        table.forEach(0, LAST_ADDRESS, (first, last, physStart, flags) -> {
            seen.add(first / PAGE);
            return seen.size() < 70;
        });
        assertEquals(70, seen.size());
        assertEquals(138, seen.getLast());
    }

    @Test
    void shouldBeEmptyAfterClear() {
        MappingTable table = table();
        for (int page = 0; page < 5000; page++) {
            map(table, page * 3L, page * 3L + 1);
        }
        assertEquals(5000, table.clear());
        assertEquals(0, table.size());
        assertEquals(List.of(), all(table));
        table.verify();
        map(table, 1, 1);
        assertEquals(1, table.size());
    }
}
