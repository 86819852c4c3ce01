// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.table;

/**
 * Addresses in units of 4096 bytes, the smallest granule: 52 bits, so that pages compare as signed numbers, that their
 * differences do not overflow, and that there is room for values above and below them all.
 */
final class Pages {

    /** One more than the highest page. */
    static final long COUNT = 1L << 52;
    /** Above every page, and so near that its distance to any can be shifted by the bits of a slot. */
    static final long NONE = 2 * COUNT;

    private static final int SHIFT = 12;
    private static final long OFFSET_MASK = (1L << SHIFT) - 1;

    private Pages() {
    }

    /** The page that an I/O-virtual address lies in. */
    static long of(long iova) {
        return iova >>> SHIFT;
    }

    /** The lowest page that lies wholly at or above an address; {@link #COUNT} if none does. */
    static long firstInside(long virtStart) {
        return of(virtStart) + (offset(virtStart) == 0 ? 0 : 1);
    }

    /** The highest page that lies wholly at or below an address; -1 if none does. */
    static long lastInside(long virtEnd) {
        return of(virtEnd) - (offset(virtEnd) == OFFSET_MASK ? 0 : 1);
    }

    /** First address of a page. */
    static long start(long page) {
        return page << SHIFT;
    }

    /** Last address of a page. */
    static long end(long page) {
        return start(page) | OFFSET_MASK;
    }

    /** The bits of an address below its page. */
    static long offset(long address) {
        return address & OFFSET_MASK;
    }
}
