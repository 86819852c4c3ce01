// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import org.jspecify.annotations.Nullable;
import org.virtio4j.iommu.embedder.ReservedRegion;
import org.virtio4j.iommu.embedder.ReservedRegions;

/** Finds out whether a driver can map anything at all: a page of the granule, in the input range, not reserved. */
final class UsablePages {

    private final long inputStart;
    private final long inputEnd;
    private final long granule;

    /** The range includes both ends; the granule is a power of two. */
    UsablePages(long inputStart, long inputEnd, long granule) {
        this.inputStart = inputStart;
        this.inputEnd = inputEnd;
        this.granule = granule;
    }

    /**
     * Whether there is one beside the regions: each turn leaves a region behind, so there are no more turns than those.
     */
    boolean any(ReservedRegions regions) {
        long from = inputStart;
        while (true) {
            long first = (from + granule - 1) & -granule;
            long last = first + (granule - 1);
            boolean wrapped = Long.compareUnsigned(first, from) < 0;
            if (wrapped || Long.compareUnsigned(last, inputEnd) > 0) {
                return false;
            }
            ReservedRegion inTheWay = overlapping(regions, first, last);
            if (inTheWay == null) {
                return true;
            }
            if (inTheWay.end() == -1) {
                return false;
            }
            from = inTheWay.end() + 1;
        }
    }

    private static @Nullable ReservedRegion overlapping(ReservedRegions regions, long first, long last) {
        for (ReservedRegion region : regions.list()) {
            if (region.overlaps(first, last)) {
                return region;
            }
        }
        return null;
    }
}
