// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.domain;

import java.util.Arrays;
import java.util.Comparator;
import org.jspecify.annotations.Nullable;
import org.virtio4j.iommu.embedder.ReservedRegion;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.vmm.GuestMemory;

/**
 * The reserved regions of an endpoint, as requests and translations look them up: immutable, and without an
 * allocation.
 *
 * <p>Translations are made of whole pages, and so are mappings: a page that is reserved in part cannot be mapped
 * either.
 */
public final class ReservedPages {

    /** Nothing is reserved. */
    static final ReservedPages NONE = new ReservedPages(ReservedRegions.NONE);

    private static final long LAST = -1;

    /** In ascending order. */
    private final ReservedRegion[] sorted;

    ReservedPages(ReservedRegions regions) {
        this.sorted = regions.list().toArray(ReservedRegion[]::new);
        Arrays.sort(sorted, Comparator.comparing(ReservedRegion::start, Long::compareUnsigned));
    }

    /** Whether the regions are the same. */
    boolean sameAs(ReservedPages other) {
        return Arrays.equals(sorted, other.sorted);
    }

    /** Whether a region has an address in a range; the end is inclusive. */
    boolean overlaps(long first, long last) {
        for (int i = 0; i < sorted.length; i++) {
            if (sorted[i].overlaps(first, last)) {
                return true;
            }
        }
        return false;
    }

    /**
     * The region that has pages at an address. Any thread; takes no lock.
     *
     * @param address an I/O-virtual address, or the guest-physical one of a doorbell
     * @return any of the regions that share the page of the address; null if there is none
     */
    public @Nullable ReservedRegion holding(long address) {
        int index = lastUpTo(address | GuestMemory.PAGE_SIZE - 1);
        return index >= 0 && Long.compareUnsigned(address, lastPage(index)) <= 0 ? sorted[index] : null;
    }

    /** Where the stretch begins that no region has pages in, and that holds an address for which there is none. */
    long freeFrom(long address) {
        int index = lastUpTo(address);
        return index < 0 ? 0 : lastPage(index) + 1;
    }

    /** Where that stretch ends, inclusive. */
    long freeTo(long address) {
        int next = lastUpTo(address) + 1;
        return next == sorted.length ? LAST : (sorted[next].start() & -GuestMemory.PAGE_SIZE) - 1;
    }

    /** The last address of the last page that a region touches. */
    private long lastPage(int index) {
        return sorted[index].end() | GuestMemory.PAGE_SIZE - 1;
    }

    /** The last region in ascending order that begins at an address or below; -1 for none. */
    private int lastUpTo(long address) {
        int low = 0;
        int high = sorted.length;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (Long.compareUnsigned(sorted[middle].start(), address) <= 0) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low - 1;
    }
}
