// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiohost;

import java.util.ArrayList;
import java.util.List;
import org.virtio4j.iommu.embedder.IovaRange;
import org.virtio4j.iommu.embedder.ReservedRegion;
import org.virtio4j.iommu.embedder.ReservedRegion.Kind;
import org.virtio4j.iommu.embedder.ReservedRegions;

/** From the addresses that a host's IOMMU can map to those that a guest must leave free. */
final class UsableAddresses {

    private UsableAddresses() {
    }

    /**
     * Everything that is in no range is reserved, and so are the guest's own regions, which keep their kind.
     *
     * @param usable in ascending order and apart; empty if the host does not say, which reserves nothing
     */
    static ReservedRegions withoutHoles(List<IovaRange> usable, ReservedRegions own) {
        List<ReservedRegion> all = new ArrayList<>(own.list());
        if (!usable.isEmpty()) {
            long next = 0;
            for (IovaRange range : usable) {
                if (range.start() != next) {
                    reserve(next, range.start() - 1, own, all);
                }
                next = range.end() + 1;
            }
            if (next != 0) {
                reserve(next, -1, own, all);
            }
        }
        return ReservedRegions.of(all.toArray(new ReservedRegion[0]));
    }

    /** Adds the parts of a hole that are in no region of the guest's own. */
    private static void reserve(long start, long end, ReservedRegions own, List<ReservedRegion> all) {
        for (ReservedRegion region : own.list()) {
            if (region.overlaps(start, end)) {
                if (Long.compareUnsigned(start, region.start()) < 0) {
                    reserve(start, region.start() - 1, own, all);
                }
                if (Long.compareUnsigned(region.end(), end) < 0) {
                    reserve(region.end() + 1, end, own, all);
                }
                return;
            }
        }
        all.add(new ReservedRegion(start, end, Kind.RESERVED));
    }
}
