// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.replay.record;

import org.virtio4j.iommu.embedder.ServedRequest;
import org.virtio4j.wire.iommu.AttachRequest;
import org.virtio4j.wire.iommu.DetachRequest;
import org.virtio4j.wire.iommu.MapRequest;
import org.virtio4j.wire.iommu.ProbeRequest;
import org.virtio4j.wire.iommu.RequestHead;
import org.virtio4j.wire.iommu.RequestTail;
import org.virtio4j.wire.iommu.RequestType;
import org.virtio4j.wire.iommu.UnmapRequest;

/**
 * Finds out whether a request has exactly the layout of the specification. A trace holds all other requests byte by
 * byte ({@code docs/trace-format.md} has the rules).
 */
final class RequestLayout {

    private final long probeSize;

    RequestLayout(long probeSize) {
        this.probeSize = probeSize;
    }

    /** Whether its fields and its status describe the request completely. */
    boolean isExact(ServedRequest request, byte[] bytes) {
        if (!request.understood()) {
            return false;
        }
        long answer = request.type() == RequestType.PROBE ? probeSize + RequestTail.SIZE : RequestTail.SIZE;
        return request.readableLength() == RequestType.readableSize(request.type())
                && request.writableLength() == answer && request.usedLength() == answer
                && isZero(bytes, RequestHead.TYPE + 1, RequestHead.SIZE)
                && isZero(bytes, reservedOf(request.type()), RequestType.readableSize(request.type()));
    }

    /** Where the reserved bytes begin that end a request of this type. */
    private static long reservedOf(int type) {
        return switch (type) {
            case RequestType.ATTACH -> AttachRequest.RESERVED;
            case RequestType.DETACH -> DetachRequest.RESERVED;
            case RequestType.MAP -> MapRequest.SIZE;
            case RequestType.UNMAP -> UnmapRequest.RESERVED;
            default -> ProbeRequest.RESERVED;
        };
    }

    private static boolean isZero(byte[] bytes, long start, long end) {
        for (int i = (int) start; i < end; i++) {
            if (bytes[i] != 0) {
                return false;
            }
        }
        return true;
    }
}
