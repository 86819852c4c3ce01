// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.table;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.virtio4j.dma.translate.ExtentSink;

/** The mapping table as one would write it if speed, memory and readers did not matter. */
final class ReferenceTable implements MappingTable {

    private record Mapping(long virtStart, long virtEnd, long physStart, int flags) {
    }

    private final NavigableMap<Long, Mapping> mappings = new TreeMap<>(Long::compareUnsigned);
    private long removed;

    @Override
    public Lookup find(long address, int required, ExtentSink out) {
        for (Mapping mapping : touching(address, address)) {
            if ((mapping.flags & required) != required) {
                return Lookup.DENIED;
            }
            out.extent(mapping.virtStart, mapping.virtEnd, mapping.physStart, mapping.flags & 3);
            return Lookup.FOUND;
        }
        return Lookup.ABSENT;
    }

    @Override
    public boolean overlaps(long virtStart, long virtEnd) {
        return !touching(virtStart, virtEnd).isEmpty();
    }

    @Override
    public Insertion insert(long virtStart, long virtEnd, long physStart, int flags) {
        if (overlaps(virtStart, virtEnd)) {
            return Insertion.OVERLAP;
        }
        mappings.put(virtStart, new Mapping(virtStart, virtEnd, physStart, flags));
        return Insertion.INSERTED;
    }

    @Override
    public boolean wouldSplit(long virtStart, long virtEnd) {
        for (Mapping mapping : touching(virtStart, virtEnd)) {
            if (Long.compareUnsigned(mapping.virtStart, virtStart) < 0
                    || Long.compareUnsigned(mapping.virtEnd, virtEnd) > 0) {
                return true;
            }
        }
        return false;
    }

    @Override
    public Removal remove(long virtStart, long virtEnd) {
        removed = 0;
        if (wouldSplit(virtStart, virtEnd)) {
            return Removal.WOULD_SPLIT;
        }
        for (Mapping mapping : touching(virtStart, virtEnd)) {
            mappings.remove(mapping.virtStart);
            removed++;
        }
        return Removal.REMOVED;
    }

    @Override
    public long removed() {
        return removed;
    }

    @Override
    public long clear() {
        long size = mappings.size();
        mappings.clear();
        return size;
    }

    @Override
    public void forEach(long virtStart, long virtEnd, MappingVisitor visitor) {
        for (Mapping mapping : touching(virtStart, virtEnd)) {
            if (!visitor.mapping(mapping.virtStart, mapping.virtEnd, mapping.physStart, mapping.flags)) {
                return;
            }
        }
    }

    @Override
    public long size() {
        return mappings.size();
    }

    @Override
    public void discard() {
        clear();
    }

    @Override
    public void verify() {
        // A TreeMap looks after itself.
    }

    private List<Mapping> touching(long virtStart, long virtEnd) {
        List<Mapping> touching = new ArrayList<>();
        Map.Entry<Long, Mapping> before = mappings.lowerEntry(virtStart);
        if (before != null && Long.compareUnsigned(before.getValue().virtEnd, virtStart) >= 0) {
            touching.add(before.getValue());
        }
        touching.addAll(mappings.subMap(virtStart, true, virtEnd, true).values());
        return touching;
    }
}
