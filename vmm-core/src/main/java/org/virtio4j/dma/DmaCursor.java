// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.dma;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.virtio4j.vmm.MemoryRegion;

/**
 * Walks the pieces of host memory that a buffer consists of. One cursor is made at set-up and filled by
 * {@link DmaHandle#access} again and again; it belongs to the handle's thread, and what it shows is dead once the
 * section ends.
 *
 * <pre>{@code
 * if (dma.access(iova, length, Access.WRITE, cursor) == DmaResult.OK) {
 *     while (cursor.next()) {
 *         // store to cursor.segment() from cursor.offset() on, at most cursor.length() bytes
 *         cursor.written(cursor.length());
 *     }
 * }
 * }</pre>
 */
public final class DmaCursor {

    /** 64 KiB of 4 KiB mappings is 17 pieces at the most; regions may cut them further. */
    private static final int USUAL_PIECES = 18;

    private @Nullable MemoryRegion[] regions = new MemoryRegion[USUAL_PIECES];
    private long[] offsets = new long[USUAL_PIECES];
    private long[] lengths = new long[USUAL_PIECES];
    private int count;
    private int current = -1;

    /** An empty cursor. */
    public DmaCursor() {
    }

    /**
     * Steps to the next piece.
     *
     * @return false when there is none left
     */
    public boolean next() {
        if (current + 1 >= count) {
            return false;
        }
        current++;
        return true;
    }

    /**
     * The region the present piece lies in.
     *
     * @return a region of the memory map that this section uses
     */
    public MemoryRegion region() {
        return Objects.requireNonNull(regions[current]);
    }

    /**
     * The memory of the present piece.
     *
     * @return the segment of a whole region
     */
    public MemorySegment segment() {
        return region().segment();
    }

    /**
     * Where in {@link #segment()} the piece begins.
     *
     * @return bytes
     */
    public long offset() {
        return offsets[current];
    }

    /**
     * How long the piece is.
     *
     * @return bytes, at least 1
     */
    public long length() {
        return lengths[current];
    }

    /**
     * Marks the first bytes of the present piece as stored to, for the log of dirty pages. Call it after the stores.
     *
     * @param bytes how many, up to {@link #length()}
     */
    public void written(long bytes) {
        region().written(offsets[current], bytes);
    }

    void clear() {
        count = 0;
        current = -1;
    }

    void append(MemoryRegion region, long offset, long length) {
        if (count == lengths.length) {
            grow();
        }
        regions[count] = region;
        offsets[count] = offset;
        lengths[count] = length;
        count++;
    }

    private void grow() {
        regions = Arrays.copyOf(regions, 2 * count);
        offsets = Arrays.copyOf(offsets, 2 * count);
        lengths = Arrays.copyOf(lengths, 2 * count);
    }
}
