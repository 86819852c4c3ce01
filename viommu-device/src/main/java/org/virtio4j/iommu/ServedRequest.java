// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.virtio4j.wire.iommu.ProbeRequest;

/**
 * A request that was served, as a {@link TrafficListener} sees it: one object for all requests of an IOMMU, so nothing
 * of it may be kept. The fields of the request mean something where its type has them and it was {@link #understood}.
 */
public final class ServedRequest {

    /** The most readable bytes of a request that are looked at, and so can be had: those of the longest type. */
    public static final int MOST_BYTES = (int) ProbeRequest.SIZE;

    private final ReplyWriter replies;
    private final Domains domains;
    private Request request = new Request();

    ServedRequest(ReplyWriter replies, Domains domains) {
        this.replies = replies;
        this.domains = domains;
    }

    /** This object, for another request. */
    ServedRequest of(Request served) {
        request = served;
        return this;
    }

    /**
     * Whether there is an answer. A request that is too short, cannot be read, or has a type that was not negotiated
     * goes back unwritten.
     *
     * @return false for one of these
     */
    public boolean understood() {
        return request.answered;
    }

    /**
     * What is asked.
     *
     * @return one of {@link org.virtio4j.wire.iommu.RequestType} if it was understood
     */
    public int type() {
        return request.type;
    }

    /**
     * The answer.
     *
     * @return one of {@link org.virtio4j.wire.iommu.RequestStatus}
     */
    public int status() {
        return request.status;
    }

    /**
     * How many mappings are gone: those an UNMAP removed, or those of the domain that an endpoint was the last to leave
     * by ATTACH or DETACH.
     *
     * @return a count
     */
    public long removed() {
        return request.removed;
    }

    /**
     * The domain.
     *
     * @return its number, unsigned
     */
    public int domain() {
        return request.domain;
    }

    /**
     * The endpoint.
     *
     * @return its id
     */
    public int endpoint() {
        return request.endpoint;
    }

    /**
     * Flags of ATTACH or MAP.
     *
     * @return as the driver wrote them
     */
    public int flags() {
        return request.flags;
    }

    /**
     * First address of MAP or UNMAP.
     *
     * @return I/O-virtual address
     */
    public long virtStart() {
        return request.virtStart;
    }

    /**
     * Last address of MAP or UNMAP.
     *
     * @return I/O-virtual address, inclusive
     */
    public long virtEnd() {
        return request.virtEnd;
    }

    /**
     * What a MAP leads to.
     *
     * @return guest-physical address
     */
    public long physStart() {
        return request.physStart;
    }

    /**
     * How much of the driver's buffer could be read.
     *
     * @return bytes
     */
    public long readableLength() {
        return request.chain.readableLength();
    }

    /**
     * How much of the driver's buffer could be written.
     *
     * @return bytes
     */
    public long writableLength() {
        return request.chain.writableLength();
    }

    /**
     * The used length.
     *
     * @return bytes that were written without a gap
     */
    public long usedLength() {
        return request.chain.writtenLength();
    }

    /**
     * The request as it was read.
     *
     * @param to gets the bytes, room for {@link #MOST_BYTES} at least
     * @return how many: fewer than {@link #readableLength} where that is more than is looked at; 0 for a request that
     *         could not be read
     */
    public int copyReadable(byte[] to) {
        MemorySegment.copy(request.bytes, ValueLayout.JAVA_BYTE, 0, to, 0, request.bytesRead);
        return request.bytesRead;
    }

    /**
     * The answer as it was written.
     *
     * @param to gets the bytes, room for probe size and tail at least
     * @return how many, {@link #usedLength}
     */
    public int copyWritten(byte[] to) {
        int length = (int) request.chain.writtenLength();
        MemorySegment.copy(replies.composed(request, domains), ValueLayout.JAVA_BYTE, 0, to, 0, length);
        return length;
    }
}
