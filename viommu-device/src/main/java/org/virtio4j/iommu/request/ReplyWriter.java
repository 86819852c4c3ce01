// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.request;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.iommu.embedder.ReservedRegion;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.iommu.observe.IommuTally;
import org.virtio4j.vmm.LittleEndian;
import org.virtio4j.wire.iommu.ProbeProperty;
import org.virtio4j.wire.iommu.RequestStatus;
import org.virtio4j.wire.iommu.RequestTail;
import org.virtio4j.wire.iommu.RequestType;
import org.virtio4j.wire.iommu.ReservedMemoryProperty;

/**
 * Writes the device-writable part of a request: the properties of a PROBE, then the tail with the status. What lies
 * before the tail is always written, with zeros where there are no properties, so that the used length covers it: Linux
 * copies a status back only if the used length is that of its whole buffer.
 */
public final class ReplyWriter {

    private final int probeSize;
    private final IommuTally counters;
    private final MemorySegment reply;

    /**
     * Allocates off-heap room for the longest answer.
     *
     * @param probeSize bytes of the properties in the answer to a PROBE
     * @param counters  counts answers that could not be written
     */
    public ReplyWriter(int probeSize, IommuTally counters) {
        this.probeSize = probeSize;
        this.counters = counters;
        this.reply = Arena.ofAuto().allocate(probeSize + RequestTail.SIZE, Long.BYTES);
    }

    /**
     * Inside a section of the request queue. Where the driver's buffer cannot be written, the used length says so;
     * false if its memory is out of reach for a while, or for good because the queue ended.
     */
    boolean write(Request request) {
        if (!request.answered) {
            return true;
        }
        // A status alone takes the short way, where there is one.
        return (request.type != RequestType.PROBE && request.chain.putI32(request.status))
                || writeComposed(request);
    }

    private boolean writeComposed(Request request) {
        long length = compose(request);
        DmaResult result = request.chain.write(0, reply, 0, length);
        if (result != DmaResult.OK && result != DmaResult.CLOSED) {
            counters.unwritable();
        }
        return result != DmaResult.CLOSED;
    }

    /** Composes the answer once more, under the same lock, for a listener; its first bytes are what was written. */
    MemorySegment composed(Request request) {
        if (request.answered) {
            long ignored = compose(request);
        }
        return reply;
    }

    /** Puts an answer together; returns its length. */
    private long compose(Request request) {
        if (request.type == RequestType.PROBE) {
            return composeProbe(request);
        }
        LittleEndian.putI32(reply, RequestTail.STATUS, request.status);
        return RequestTail.SIZE;
    }

    private long composeProbe(Request request) {
        long tailOffset = Math.min(probeSize, request.chain.writableLength() - RequestTail.SIZE);
        reply.fill((byte) 0);
        if (request.status == RequestStatus.OK) {
            writeProperties(request.properties);
        }
        // The three bytes behind the status are reserved and zero, so a 32-bit store writes the whole tail.
        LittleEndian.putI32(reply, tailOffset + RequestTail.STATUS, request.status);
        return tailOffset + RequestTail.SIZE;
    }

    private void writeProperties(ReservedRegions regions) {
        long at = 0;
        for (int i = 0; i < regions.list().size(); i++) {
            ReservedRegion region = regions.list().get(i);
            LittleEndian.putU16(reply, at + ProbeProperty.TYPE, ProbeProperty.TYPE_RESV_MEM);
            LittleEndian.putU16(reply, at + ProbeProperty.LENGTH, (int) ReservedMemoryProperty.LENGTH);
            LittleEndian.putU8(reply, at + ReservedMemoryProperty.SUBTYPE, subtype(region.kind()));
            LittleEndian.putI64(reply, at + ReservedMemoryProperty.START, region.start());
            LittleEndian.putI64(reply, at + ReservedMemoryProperty.END, region.end());
            at += ReservedMemoryProperty.SIZE;
        }
    }

    private static int subtype(ReservedRegion.Kind kind) {
        return switch (kind) {
            case RESERVED -> ReservedMemoryProperty.SUBTYPE_RESERVED;
            case MSI -> ReservedMemoryProperty.SUBTYPE_MSI;
        };
    }
}
