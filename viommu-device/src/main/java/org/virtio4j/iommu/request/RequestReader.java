// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.request;

import java.lang.foreign.MemorySegment;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.queue.Chain;
import org.virtio4j.vmm.LittleEndian;
import org.virtio4j.wire.iommu.AttachRequest;
import org.virtio4j.wire.iommu.DetachRequest;
import org.virtio4j.wire.iommu.MapRequest;
import org.virtio4j.wire.iommu.ProbeRequest;
import org.virtio4j.wire.iommu.RequestHead;
import org.virtio4j.wire.iommu.RequestTail;
import org.virtio4j.wire.iommu.RequestType;
import org.virtio4j.wire.iommu.UnmapRequest;

/**
 * Reads the device-readable part of a request, once, into its slot (virtio 1.4, section 5.13.6). The fields come from
 * where the driver put them if that is one piece of RAM, else from a copy; from a copy also if a listener wants to see
 * the bytes.
 */
final class RequestReader {

    /** The longest request; what a driver adds behind it is ignored. */
    private static final long LONGEST = ProbeRequest.SIZE;

    private final boolean keepsBytes;

    /** Makes a reader; {@code keepsBytes} says whether {@link Request#bytes} are needed afterwards. */
    RequestReader(boolean keepsBytes) {
        this.keepsBytes = keepsBytes;
    }

    /** Inside a section of the request queue; false if memory is out of reach for a moment. */
    boolean read(Request request) {
        Chain chain = request.chain;
        request.type = Request.UNREADABLE;
        request.answered = false;
        long length = Math.min(chain.readableLength(), LONGEST);
        long at = keepsBytes ? -1 : chain.readInPlace(length);
        if (at >= 0) {
            readFrom(chain.memory(), at, length, request);
            return true;
        }
        return copy(chain, length, request);
    }

    private static boolean copy(Chain chain, long length, Request request) {
        DmaResult result = chain.read(0, request.bytes, 0, length);
        request.bytesRead = result == DmaResult.OK ? (int) length : 0;
        if (result == DmaResult.OK) {
            readFrom(request.bytes, 0, length, request);
        }
        return result != DmaResult.CLOSED;
    }

    private static void readFrom(MemorySegment bytes, long at, long length, Request request) {
        if (length < RequestHead.SIZE || request.chain.writableLength() < RequestTail.SIZE) {
            return;
        }
        int type = LittleEndian.u8(bytes, at + RequestHead.TYPE);
        if (length < RequestType.readableSize(type)) {
            return;
        }
        request.type = type;
        switch (type) {
            case RequestType.MAP -> readMap(bytes, at, request);
            case RequestType.UNMAP -> readUnmap(bytes, at, request);
            default -> readRare(bytes, at, request);
        }
    }

    /** The rest, apart, so that the compiler takes the others together with what is around them. */
    private static void readRare(MemorySegment bytes, long at, Request request) {
        switch (request.type) {
            case RequestType.ATTACH -> readAttach(bytes, at, request);
            case RequestType.DETACH -> readDetach(bytes, at, request);
            case RequestType.PROBE -> request.endpoint = LittleEndian.i32(bytes, at + ProbeRequest.ENDPOINT);
            default -> {
                // Not understood, and so not looked at.
            }
        }
    }

    private static void readAttach(MemorySegment bytes, long at, Request request) {
        request.domain = LittleEndian.i32(bytes, at + AttachRequest.DOMAIN);
        request.endpoint = LittleEndian.i32(bytes, at + AttachRequest.ENDPOINT);
        request.flags = LittleEndian.i32(bytes, at + AttachRequest.FLAGS);
        request.reservedSet = LittleEndian.i32(bytes, at + AttachRequest.RESERVED) != 0;
    }

    /** The reserved bytes are ignored, as the section on DETACH demands. */
    private static void readDetach(MemorySegment bytes, long at, Request request) {
        request.domain = LittleEndian.i32(bytes, at + DetachRequest.DOMAIN);
        request.endpoint = LittleEndian.i32(bytes, at + DetachRequest.ENDPOINT);
    }

    private static void readMap(MemorySegment bytes, long at, Request request) {
        request.domain = LittleEndian.i32(bytes, at + MapRequest.DOMAIN);
        request.virtStart = LittleEndian.i64(bytes, at + MapRequest.VIRT_START);
        request.virtEnd = LittleEndian.i64(bytes, at + MapRequest.VIRT_END);
        request.physStart = LittleEndian.i64(bytes, at + MapRequest.PHYS_START);
        request.flags = LittleEndian.i32(bytes, at + MapRequest.FLAGS);
    }

    private static void readUnmap(MemorySegment bytes, long at, Request request) {
        request.domain = LittleEndian.i32(bytes, at + UnmapRequest.DOMAIN);
        request.virtStart = LittleEndian.i64(bytes, at + UnmapRequest.VIRT_START);
        request.virtEnd = LittleEndian.i64(bytes, at + UnmapRequest.VIRT_END);
        request.reservedSet = LittleEndian.i32(bytes, at + UnmapRequest.RESERVED) != 0;
    }
}
