// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.table;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.virtio4j.iommu.table.Mappings.LAST_PAGE;
import static org.virtio4j.iommu.table.Mappings.READ;
import static org.virtio4j.iommu.table.Mappings.all;
import static org.virtio4j.iommu.table.Mappings.end;
import static org.virtio4j.iommu.table.Mappings.find;
import static org.virtio4j.iommu.table.Mappings.map;
import static org.virtio4j.iommu.table.Mappings.start;
import static org.virtio4j.iommu.table.Mappings.tryMap;
import static org.virtio4j.iommu.table.Mappings.unmap;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.virtio4j.iommu.table.MappingTable.Insertion;

final class MappingTreeTest extends MappingTableTests {

    private final TableMemory memory = TableMemory.forMappings(100_000);

    @AfterEach
    void close() {
        memory.close();
    }

    @Override
    MappingTable table() {
        return memory.table();
    }

    @Test
    void shouldKeepTablesOfOneSpaceApart() {
        MappingTable first = table();
        MappingTable second = table();
        for (int page = 0; page < 500; page++) {
            map(first, page, page);
            map(second, page * 2L, page * 2L);
        }
        assertEquals("ABSENT", find(second, start(1), READ));
        assertEquals(500, first.clear());
        second.verify();
        assertEquals(500, all(second).size());
    }

    @Test
    void shouldFindAMappingThatReachesFarBeyondWhereItsLeafEnded() {
        MappingTable table = table();
        for (int page = 0; page < 2000; page++) {
            map(table, page, page);
        }
        unmap(table, 10, 1989, 1980);
        map(table, 10, 1989);
        table.verify();
        assertEquals(find(table, start(10), READ), find(table, end(1989), READ));
        assertEquals(21, table.size());
        assertEquals(Insertion.OVERLAP, tryMap(table, 1000, 1000));
        unmap(table, 9, 1990, 3);
        table.verify();
    }

    @Test
    void shouldRefuseAMappingThatReachesTheFirstOfTheNextLeaf() {
        MappingTable table = table();
        for (int page = 0; page < 2000; page++) {
            map(table, page * 4L, page * 4L);
        }
        for (int page = 0; page < 1999; page++) {
            assertEquals(Insertion.OVERLAP, tryMap(table, page * 4L + 1, page * 4L + 4));
            assertEquals(Insertion.OVERLAP, tryMap(table, page * 4L + 3, page * 4L + 5));
            assertTrue(table.overlaps(start(page * 4L + 1), start(page * 4L + 4)));
        }
        assertEquals(2000, table.size());
        table.verify();
    }

    @Test
    void shouldSayWhatIsWrongWithWhatTheDeviceShouldHaveRefused() {
        MappingTable table = table();
        for (Runnable wrong : new Runnable[] {
                () -> table.insert(1, end(0), 0, 0),
                () -> table.insert(0, end(0) + 1, 0, 0),
                () -> table.insert(0, end(0), 2048, 0),
                () -> table.insert(0, end(0), 0, 8),
                () -> table.insert(0, end(0), 0, -1),
                () -> table.insert(start(2), end(0), 0, 0),
                () -> table.insert(start(LAST_PAGE), end(0), 0, 0),
                () -> table.remove(1, 0),
                () -> table.overlaps(-1L, 0),
                () -> table.wouldSplit(-1L, 0),
                () -> table.forEach(-1L, -2L, (first, last, physStart, flags) -> true)}) {
            String message = assertThrows(IllegalArgumentException.class, wrong::run).getMessage();
            assertTrue(String.valueOf(message).contains("virtStart=0x"), message);
        }
        assertEquals(0, table.size());
    }

    @Test
    void shouldGiveBackWhatADiscardedTableTook() {
        long before = memory.space.bytesInUse();
        for (int round = 0; round < 20; round++) {
            MappingTable table = table();
            for (int page = 0; page < 3000; page++) {
                map(table, page * 2L, page * 2L);
            }
            table.discard();
            memory.space.reclaim();
            assertEquals(before, memory.space.bytesInUse());
        }
    }
}
