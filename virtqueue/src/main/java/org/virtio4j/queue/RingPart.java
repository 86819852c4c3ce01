// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.queue;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.virtio4j.dma.DmaCursor;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.vmm.Access;
import org.virtio4j.vmm.LittleEndian;
import org.virtio4j.vmm.MemoryRegion;

/**
 * One of the three parts of a split ring, resolved to host memory: usually one extent, several where the part crosses
 * mappings or regions. What was resolved is a lease; {@link SplitQueue} checks it once a section.
 *
 * <p>Offsets are bytes from the start of the part. The part is aligned as the specification asks and extents are cut at
 * pages, so 2-byte, 4-byte and descriptor fields lie in one extent; a used element, 8 bytes at a multiple of 4, may
 * not.
 */
final class RingPart {

    private final long iova;
    private final long length;
    private final Access access;

    private @Nullable MemoryRegion[] regions = new MemoryRegion[1];
    private long[] offsets = new long[1];

    /** First offset of each extent within the part, and the length of the part behind the last one. */
    private long[] starts = new long[2];
    private int count;

    /** The extent that {@link #seek} found last; the only one, as a rule. */
    private MemorySegment segment = MemorySegment.NULL;
    private @Nullable MemoryRegion region;
    private long base;

    RingPart(long iova, long length, Access access) {
        this.iova = iova;
        this.length = length;
        this.access = access;
    }

    /** Finds the memory behind the part, inside a section. */
    DmaResult resolve(DmaHandle dma, DmaCursor cursor) {
        count = 0;
        starts[0] = 0;
        for (long done = 0; done < length; ) {
            long piece = Math.min(length - done, DmaHandle.MAX_BYTES);
            DmaResult result = dma.access(iova + done, piece, access, cursor);
            if (result != DmaResult.OK) {
                return result;
            }
            while (cursor.next()) {
                append(cursor.region(), cursor.offset(), cursor.length());
            }
            done += piece;
        }
        point(0);
        return DmaResult.OK;
    }

    int u16Acquire(long offset) {
        return LittleEndian.u16Acquire(segment(offset), base + offset);
    }

    int u16(long offset) {
        return LittleEndian.u16(segment(offset), base + offset);
    }

    long i64(long offset) {
        return LittleEndian.i64(segment(offset), base + offset);
    }

    void putU16(long offset, int value) {
        LittleEndian.putU16(segment(offset), base + offset, value);
        written(offset, Short.BYTES);
    }

    void putU16Release(long offset, int value) {
        LittleEndian.putU16Release(segment(offset), base + offset, value);
        written(offset, Short.BYTES);
    }

    /** Stores two 32-bit fields that follow each other; they are aligned to 4 bytes and may lie in two extents. */
    void putI32Pair(long offset, int first, int second) {
        if (count == 1) {
            long both = Integer.toUnsignedLong(first) | ((long) second << Integer.SIZE);
            LittleEndian.putI64(segment, base + offset, both);
            written(offset, Long.BYTES);
        } else {
            putI32(offset, first);
            putI32(offset + Integer.BYTES, second);
        }
    }

    private void putI32(long offset, int value) {
        LittleEndian.putI32(segment(offset), base + offset, value);
        written(offset, Integer.BYTES);
    }

    private MemorySegment segment(long offset) {
        if (count > 1) {
            seek(offset);
        }
        return segment;
    }

    private void written(long offset, long bytes) {
        MemoryRegion written = region;
        if (written != null) {
            written.written(base + offset, bytes);
        }
    }

    private void seek(long offset) {
        int found = Arrays.binarySearch(starts, 0, count, offset);
        point(found >= 0 ? found : -found - 2);
    }

    private void point(int extent) {
        MemoryRegion found = regions[extent];
        region = found;
        segment = found == null ? MemorySegment.NULL : found.segment();
        base = offsets[extent] - starts[extent];
    }

    private void append(MemoryRegion next, long offset, long bytes) {
        long start = starts[count];
        boolean continues = count > 0 && regions[count - 1] == next
                && offsets[count - 1] + (start - starts[count - 1]) == offset;
        if (!continues) {
            if (count == regions.length) {
                grow();
            }
            regions[count] = next;
            offsets[count] = offset;
            count++;
        }
        starts[count] = start + bytes;
    }

    private void grow() {
        regions = Arrays.copyOf(regions, 2 * count);
        offsets = Arrays.copyOf(offsets, 2 * count);
        starts = Arrays.copyOf(starts, 2 * count + 1);
    }
}
