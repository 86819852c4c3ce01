// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vmm;

import java.util.Arrays;
import java.util.Comparator;
import org.jspecify.annotations.Nullable;

/**
 * All regions of a guest's memory at one moment: immutable, in ascending order, without overlap. Any thread may read
 * it.
 */
public final class MemoryMap {

    static final MemoryMap EMPTY = new MemoryMap(new MemoryRegion[0], 0, true);

    private final MemoryRegion[] regions;
    private final long generation;
    private final boolean settled;

    private MemoryMap(MemoryRegion[] regions, long generation, boolean settled) {
        this.regions = regions;
        this.generation = generation;
        this.settled = settled;
    }

    /**
     * Which map of its memory this is; each change makes a new one with the next number.
     *
     * @return a number that only grows
     */
    public long generation() {
        return generation;
    }

    /**
     * Whether what is missing here is missing for good, see {@link GuestMemory#unsettle}.
     *
     * @return false while the embedder is exchanging memory
     */
    public boolean settled() {
        return settled;
    }

    /**
     * How many regions there are.
     *
     * @return a count
     */
    public int count() {
        return regions.length;
    }

    /**
     * A region by its place in ascending order.
     *
     * @param index 0 to {@link #count()} − 1
     * @return the region
     * @throws IndexOutOfBoundsException for any other index
     */
    public MemoryRegion region(int index) {
        return regions[index];
    }

    /**
     * The region that holds an address.
     *
     * @param gpa guest-physical address
     * @return the region, or null where there is nothing
     */
    public @Nullable MemoryRegion find(long gpa) {
        int low = 0;
        int high = regions.length - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            MemoryRegion region = regions[middle];
            if (region.holds(gpa)) {
                return region;
            }
            if (Long.compareUnsigned(gpa, region.start()) < 0) {
                high = middle - 1;
            } else {
                low = middle + 1;
            }
        }
        return null;
    }

    MemoryMap with(MemoryRegion added) {
        for (MemoryRegion region : regions) {
            if (region.holds(added.start()) || added.holds(region.start())) {
                throw new IllegalArgumentException(
                        "region=" + added + " overlaps " + region + "; remove that first or choose other addresses");
            }
        }
        MemoryRegion[] more = Arrays.copyOf(regions, regions.length + 1);
        more[regions.length] = added;
        Arrays.sort(more, Comparator.comparing(MemoryRegion::start, Long::compareUnsigned));
        return new MemoryMap(more, generation + 1, settled);
    }

    MemoryMap without(MemoryRegion removed) {
        MemoryRegion[] fewer =
                Arrays.stream(regions).filter(region -> region != removed).toArray(MemoryRegion[]::new);
        if (fewer.length == regions.length) {
            throw new IllegalArgumentException("region=" + removed + " is not in this memory; was it removed before?");
        }
        return new MemoryMap(fewer, generation + 1, settled);
    }

    /** The same regions, and the same generation: what was resolved before holds as well as ever. */
    MemoryMap settled(boolean now) {
        return now == settled ? this : new MemoryMap(regions, generation, now);
    }

    @Override
    public String toString() {
        return "generation " + generation + " " + Arrays.toString(regions);
    }
}
