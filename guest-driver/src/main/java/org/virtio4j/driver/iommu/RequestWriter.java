// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver.iommu;

import org.virtio4j.driver.GuestBuffer;
import org.virtio4j.wire.iommu.AttachRequest;
import org.virtio4j.wire.iommu.DetachRequest;
import org.virtio4j.wire.iommu.MapRequest;
import org.virtio4j.wire.iommu.ProbeRequest;
import org.virtio4j.wire.iommu.RequestHead;
import org.virtio4j.wire.iommu.RequestTail;
import org.virtio4j.wire.iommu.RequestType;
import org.virtio4j.wire.iommu.UnmapRequest;

/**
 * Writes requests into guest memory (virtio 1.4, section 5.13.6) and queues them, from one start of the device to the
 * next. The methods are those of {@link IommuDriver}.
 */
final class RequestWriter {

    private static final int UNWRITTEN = 0xff;

    private final DriverRequestQueue queue;
    private final GuestBuffer slots;
    private final GuestBuffer probeBuffer;
    private final long probeWritable;

    /** Whether a PROBE may still be on its way, after a device that did not answer it. */
    private boolean probeOut;
    private long count;

    /** With a buffer for one PROBE, of which so many bytes count. */
    RequestWriter(DriverRequestQueue queue, GuestBuffer probeBuffer, long probeBytes) {
        this.queue = queue;
        this.slots = queue.slots();
        this.probeBuffer = probeBuffer;
        this.probeWritable = probeBytes - ProbeRequest.SIZE;
    }

    /** Bytes of a PROBE's buffer where the device has so many bytes of properties. */
    static long probeBufferSize(long propertiesSize) {
        return ProbeRequest.SIZE + propertiesSize + RequestTail.SIZE;
    }

    DriverRequestQueue queue() {
        return queue;
    }

    /** How many requests were made. */
    long count() {
        return count;
    }

    DriverResult attach(long tag, int domain, int endpoint, int flags) {
        DriverResult ready = queue.reserve();
        if (ready != DriverResult.OK) {
            return ready;
        }
        long at = begin(RequestType.ATTACH);
        slots.putI32(at + AttachRequest.DOMAIN, domain);
        slots.putI32(at + AttachRequest.ENDPOINT, endpoint);
        slots.putI32(at + AttachRequest.FLAGS, flags);
        slots.putI32(at + AttachRequest.RESERVED, 0);
        return thenSync(queue.submitSlot(tag, RequestType.ATTACH, AttachRequest.SIZE));
    }

    DriverResult detach(long tag, int domain, int endpoint) {
        DriverResult ready = queue.reserve();
        if (ready != DriverResult.OK) {
            return ready;
        }
        long at = begin(RequestType.DETACH);
        slots.putI32(at + DetachRequest.DOMAIN, domain);
        slots.putI32(at + DetachRequest.ENDPOINT, endpoint);
        slots.putI64(at + DetachRequest.RESERVED, 0);
        return thenSync(queue.submitSlot(tag, RequestType.DETACH, DetachRequest.SIZE));
    }

    DriverResult map(long tag, int domain, long virtStart, long virtEnd, long physStart, int flags) {
        DriverResult ready = queue.reserve();
        if (ready != DriverResult.OK) {
            return ready;
        }
        long at = begin(RequestType.MAP);
        slots.putI32(at + MapRequest.DOMAIN, domain);
        slots.putI64(at + MapRequest.VIRT_START, virtStart);
        slots.putI64(at + MapRequest.VIRT_END, virtEnd);
        slots.putI64(at + MapRequest.PHYS_START, physStart);
        slots.putI32(at + MapRequest.FLAGS, flags);
        return queue.submitSlot(tag, RequestType.MAP, MapRequest.SIZE);
    }

    DriverResult unmap(long tag, int domain, long virtStart, long virtEnd) {
        DriverResult ready = queue.reserve();
        if (ready != DriverResult.OK) {
            return ready;
        }
        long at = begin(RequestType.UNMAP);
        slots.putI32(at + UnmapRequest.DOMAIN, domain);
        slots.putI64(at + UnmapRequest.VIRT_START, virtStart);
        slots.putI64(at + UnmapRequest.VIRT_END, virtEnd);
        slots.putI32(at + UnmapRequest.RESERVED, 0);
        return queue.submitSlot(tag, RequestType.UNMAP, UnmapRequest.SIZE);
    }

    DriverResult probe(long tag, int endpoint) {
        DriverResult ready = probeOut && queue.outCount() != 0 ? queue.sync() : queue.reserve();
        if (ready != DriverResult.OK) {
            return ready;
        }
        probeBuffer.fill(0, ProbeRequest.SIZE, 0);
        probeBuffer.fill(ProbeRequest.SIZE, probeWritable, UNWRITTEN);
        probeBuffer.putU8(RequestHead.TYPE, RequestType.PROBE);
        probeBuffer.putI32(ProbeRequest.ENDPOINT, endpoint);
        DriverResult result = thenSync(submit(tag, RequestType.PROBE, probeBuffer.address(), ProbeRequest.SIZE,
                probeBuffer, ProbeRequest.SIZE, probeWritable));
        probeOut = result != DriverResult.OK;
        return result;
    }

    DriverResult submit(long tag, int type, long readableAddress, long readableLength, GuestBuffer writable,
            long writableOffset, long writableLength) {
        count++;
        return queue.submit(tag, type, readableAddress, readableLength, writable, writableOffset, writableLength);
    }

    private long begin(int type) {
        count++;
        long at = queue.slot();
        // The type and three reserved bytes.
        slots.putI32(at + RequestHead.TYPE, type);
        return at;
    }

    private DriverResult thenSync(DriverResult submitted) {
        return submitted == DriverResult.OK ? queue.sync() : submitted;
    }
}
