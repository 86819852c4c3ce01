// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.table;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import org.virtio4j.dma.translate.ExtentSink;
import org.virtio4j.iommu.table.MappingTable.Insertion;
import org.virtio4j.iommu.table.MappingTable.Lookup;
import org.virtio4j.iommu.table.MappingTable.Removal;

/** What tests say about tables, in words of one page: page n is the addresses from 4096 n to 4096 n + 4095. */
final class Mappings {

    static final int READ = 1;
    static final int WRITE = 2;
    static final int MMIO = 4;
    static final int READ_WRITE = READ | WRITE;
    static final long PAGE = 4096;
    static final long LAST_PAGE = (1L << 52) - 1;
    static final long LAST_ADDRESS = -1L;

    private Mappings() {
    }

    static long start(long page) {
        return page * PAGE;
    }

    static long end(long page) {
        return page * PAGE + PAGE - 1;
    }

    /** Where a mapping that begins at a page lies in guest memory, so that a wrong or a torn answer shows. */
    static long physOf(long virtStart) {
        return (virtStart >>> 4 ^ 0x00a5_5a00_0000_0000L) & -PAGE;
    }

    static void map(MappingTable table, long firstPage, long lastPage) {
        assertEquals(Insertion.INSERTED, tryMap(table, firstPage, lastPage));
    }

    static Insertion tryMap(MappingTable table, long firstPage, long lastPage) {
        return table.insert(start(firstPage), end(lastPage), physOf(start(firstPage)), READ_WRITE);
    }

    static void unmap(MappingTable table, long firstPage, long lastPage, long expected) {
        assertEquals(Removal.REMOVED, table.remove(start(firstPage), end(lastPage)));
        assertEquals(expected, table.removed());
    }

    /** Every mapping of a table, in the order of the walk. */
    static List<String> all(MappingTable table) {
        return touching(table, 0, LAST_ADDRESS);
    }

    static List<String> touching(MappingTable table, long virtStart, long virtEnd) {
        List<String> found = new ArrayList<>();
        table.forEach(virtStart, virtEnd, (first, last, physStart, flags) ->
                found.add("%x-%x>%x:%d".formatted(first, last, physStart, flags)));
        return found;
    }

    /** What a look-up answers, in one string. */
    static String find(MappingTable table, long address, int required) {
        Found found = new Found();
        Lookup lookup = table.find(address, required, found);
        return lookup == Lookup.FOUND ? found.toString() : lookup.toString();
    }

    /** Keeps what it was told last. */
    static final class Found implements ExtentSink {

        long virtStart;
        long virtEnd;
        long physStart;
        int permitted;

        @Override
        public void extent(long virtStart, long virtEnd, long physStart, int permitted) {
            this.virtStart = virtStart;
            this.virtEnd = virtEnd;
            this.physStart = physStart;
            this.permitted = permitted;
        }

        @Override
        public String toString() {
            return "%x-%x>%x:%d".formatted(virtStart, virtEnd, physStart, permitted);
        }
    }
}
