// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import org.virtio4j.vmm.DmaResult;
import org.virtio4j.vmm.LittleEndian;
import org.virtio4j.wire.iommu.AttachRequest;
import org.virtio4j.wire.iommu.DetachRequest;
import org.virtio4j.wire.iommu.MapRequest;
import org.virtio4j.wire.iommu.ProbeRequest;
import org.virtio4j.wire.iommu.RequestHead;
import org.virtio4j.wire.iommu.RequestTail;
import org.virtio4j.wire.iommu.RequestType;
import org.virtio4j.wire.iommu.UnmapRequest;

/** Reads the device-readable part of a request, once, into its slot (virtio 1.4, section 5.13.6). */
final class RequestReader {

    /** The longest request; what a driver adds behind it is ignored. */
    private static final long LONGEST = ProbeRequest.SIZE;

    /** Inside a section of the request queue. */
    void read(Request request) {
        request.type = Request.UNREADABLE;
        request.answered = false;
        request.removed = 0;
        request.usedLength = 0;
        request.readableLength = request.chain.readableLength();
        request.writableLength = request.chain.writableLength();
        long length = Math.min(request.readableLength, LONGEST);
        boolean read = request.chain.read(0, request.bytes, 0, length) == DmaResult.OK;
        request.bytesRead = read ? (int) length : 0;
        if (!read || length < RequestHead.SIZE || request.writableLength < RequestTail.SIZE) {
            return;
        }
        int type = LittleEndian.u8(request.bytes, RequestHead.TYPE);
        if (length >= RequestType.readableSize(type)) {
            request.type = type;
            readFields(request);
        }
    }

    private void readFields(Request request) {
        switch (request.type) {
            case RequestType.ATTACH -> readAttach(request);
            case RequestType.DETACH -> readDetach(request);
            case RequestType.MAP -> readMap(request);
            case RequestType.UNMAP -> readUnmap(request);
            case RequestType.PROBE -> request.endpoint = LittleEndian.i32(request.bytes, ProbeRequest.ENDPOINT);
            default -> {
                // Not understood, and so not looked at.
            }
        }
    }

    private void readAttach(Request request) {
        request.domain = LittleEndian.i32(request.bytes, AttachRequest.DOMAIN);
        request.endpoint = LittleEndian.i32(request.bytes, AttachRequest.ENDPOINT);
        request.flags = LittleEndian.i32(request.bytes, AttachRequest.FLAGS);
        request.reservedSet = LittleEndian.i32(request.bytes, AttachRequest.RESERVED) != 0;
    }

    /** The reserved bytes are ignored, as the section on DETACH demands. */
    private void readDetach(Request request) {
        request.domain = LittleEndian.i32(request.bytes, DetachRequest.DOMAIN);
        request.endpoint = LittleEndian.i32(request.bytes, DetachRequest.ENDPOINT);
    }

    private void readMap(Request request) {
        request.domain = LittleEndian.i32(request.bytes, MapRequest.DOMAIN);
        request.virtStart = LittleEndian.i64(request.bytes, MapRequest.VIRT_START);
        request.virtEnd = LittleEndian.i64(request.bytes, MapRequest.VIRT_END);
        request.physStart = LittleEndian.i64(request.bytes, MapRequest.PHYS_START);
        request.flags = LittleEndian.i32(request.bytes, MapRequest.FLAGS);
    }

    private void readUnmap(Request request) {
        request.domain = LittleEndian.i32(request.bytes, UnmapRequest.DOMAIN);
        request.virtStart = LittleEndian.i64(request.bytes, UnmapRequest.VIRT_START);
        request.virtEnd = LittleEndian.i64(request.bytes, UnmapRequest.VIRT_END);
        request.reservedSet = LittleEndian.i32(request.bytes, UnmapRequest.RESERVED) != 0;
    }
}
