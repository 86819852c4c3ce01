// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.queue;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import org.virtio4j.dma.DmaCursor;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.vmm.Access;
import org.virtio4j.vmm.MemoryRegion;
import org.virtio4j.vmm.RegionKind;

/**
 * The region of RAM that a queue's buffers lie in, where addresses are guest-physical: what is found for one buffer
 * holds for the next, until memory changes. {@link SplitQueue} ends it then, together with the leases of its ring
 * parts.
 *
 * <p>Behind an IOMMU there is no such lease: what one mapping gives to one buffer says nothing of the next.
 */
final class BufferLease {

    private final DmaHandle dma;
    private final boolean translated;
    private final DmaCursor cursor = new DmaCursor();

    private MemorySegment segment = MemorySegment.NULL;
    private @Nullable MemoryRegion region;
    private long start;
    private long size;

    /** Whether a section is open in which every buffer of the queue may be reached. */
    private boolean good;

    BufferLease(DmaHandle dma, boolean translated) {
        this.dma = dma;
        this.translated = translated;
    }

    /** Ends the lease: the generation moved. */
    void end() {
        region = null;
        segment = MemorySegment.NULL;
        size = 0;
    }

    /** Says at the start of a section whether buffers can be found in it, and at its end that they cannot. */
    void good(boolean now) {
        good = now;
    }

    /**
     * Where in {@link #segment} a buffer begins, in bytes; −1 if it does not lie in one region of RAM as it is, or
     * cannot be had at all. Inside a section; {@code length} is not 0.
     */
    long find(long iova, long length) {
        return holds(iova, length) || renew(iova, length) ? iova - start : -1;
    }

    /** The memory of the region that was found last. */
    MemorySegment segment() {
        return segment;
    }

    /** Says that bytes of it were stored to, after the stores. */
    void written(long offset, long length) {
        MemoryRegion written = region;
        if (written != null) {
            written.written(offset, length);
        }
    }

    private boolean holds(long iova, long length) {
        long offset = iova - start;
        return good && offset >= 0 && offset <= size - length;
    }

    private boolean renew(long iova, long length) {
        // Of no byte where nothing may be reached; outside a section even that is refused, with its reason.
        long looked = good ? length : 0;
        if (translated || length > DmaHandle.MAX_BYTES
                || dma.access(iova, looked, Access.READ, cursor) != DmaResult.OK) {
            return false;
        }
        boolean whole = cursor.next() && cursor.length() == length && cursor.region().kind() == RegionKind.RAM;
        if (whole) {
            region = cursor.region();
            segment = region.segment();
            start = region.start();
            size = region.size();
        }
        return whole;
    }
}
