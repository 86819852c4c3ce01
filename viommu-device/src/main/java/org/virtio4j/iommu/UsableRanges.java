// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.virtio4j.iommu.embedder.IovaRange;
import org.virtio4j.iommu.embedder.ReservedRegion;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.iommu.request.RequestLimits;

/** Finds out what a driver can map: whole pages of the granule, in the input range, beside reserved regions. */
final class UsableRanges {

    private final long granule;
    private final List<IovaRange> found = new ArrayList<>();

    private UsableRanges(long granule) {
        this.granule = granule;
    }

    /** For one endpoint; in ascending order. */
    static List<IovaRange> of(RequestLimits limits, ReservedRegions regions) {
        return of(limits.inputStart(), limits.inputEnd(), limits.granule(), regions);
    }

    /** The input range includes both ends; the granule is a power of two. */
    static List<IovaRange> of(long inputStart, long inputEnd, long granule, ReservedRegions regions) {
        UsableRanges ranges = new UsableRanges(granule);
        ranges.collect(inputStart, inputEnd, regions);
        return List.copyOf(ranges.found);
    }

    private void collect(long inputStart, long inputEnd, ReservedRegions regions) {
        List<ReservedRegion> sorted = new ArrayList<>(regions.list());
        sorted.sort(Comparator.comparing(ReservedRegion::start, Long::compareUnsigned));
        long from = inputStart;
        for (ReservedRegion region : sorted) {
            if (region.overlaps(from, inputEnd)) {
                if (Long.compareUnsigned(from, region.start()) < 0) {
                    add(from, region.start() - 1);
                }
                if (Long.compareUnsigned(region.end(), inputEnd) >= 0) {
                    return;
                }
                from = region.end() + 1;
            }
        }
        add(from, inputEnd);
    }

    /** Adds the whole pages of a stretch, if there are any. */
    private void add(long start, long end) {
        long first = (start + (granule - 1)) & -granule;
        boolean wrapped = Long.compareUnsigned(first, start) < 0;
        // One more than the last byte of the last page; 0 stands for 2^64, but only where the stretch goes up to there.
        long behind = (end + 1) & -granule;
        if (wrapped || (behind == 0 && end != -1)) {
            return;
        }
        if (Long.compareUnsigned(first, behind - 1) <= 0) {
            found.add(new IovaRange(first, behind - 1));
        }
    }
}
