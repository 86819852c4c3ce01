// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.domain;

/**
 * Mappings of one domain that are announced to its listeners together, in the order of the requests. Made once, with
 * room for as many as can come; filled and emptied under the control lock.
 */
public final class MapBatch {

    private final long[] virtStarts;
    private final long[] virtEnds;
    private final long[] physStarts;
    private final int[] flags;
    private int size;

    /**
     * Starts empty.
     *
     * @param most how many mappings there is room for
     */
    public MapBatch(int most) {
        this.virtStarts = new long[most];
        this.virtEnds = new long[most];
        this.physStarts = new long[most];
        this.flags = new int[most];
    }

    /**
     * How many mappings there are.
     *
     * @return a count
     */
    public int size() {
        return size;
    }

    /** Forgets all mappings. */
    public void clear() {
        size = 0;
    }

    /**
     * Appends a mapping.
     *
     * @param virtStart first I/O-virtual address
     * @param virtEnd   last I/O-virtual address, inclusive
     * @param physStart guest-physical address that {@code virtStart} means
     * @param flag      READ, WRITE and MMIO bits of MAP
     * @throws ArrayIndexOutOfBoundsException if it is full
     */
    public void add(long virtStart, long virtEnd, long physStart, int flag) {
        virtStarts[size] = virtStart;
        virtEnds[size] = virtEnd;
        physStarts[size] = physStart;
        flags[size] = flag;
        size++;
    }

    /**
     * Whether a mapping of this batch has an address in a range.
     *
     * @param virtStart first I/O-virtual address
     * @param virtEnd   last I/O-virtual address, inclusive
     * @return true if at least one has
     */
    public boolean overlaps(long virtStart, long virtEnd) {
        for (int i = 0; i < size; i++) {
            if (Long.compareUnsigned(virtStarts[i], virtEnd) <= 0
                    && Long.compareUnsigned(virtStart, virtEnds[i]) <= 0) {
                return true;
            }
        }
        return false;
    }

    long virtStart(int index) {
        return virtStarts[index];
    }

    long virtEnd(int index) {
        return virtEnds[index];
    }

    long physStart(int index) {
        return physStarts[index];
    }

    int flags(int index) {
        return flags[index];
    }
}
