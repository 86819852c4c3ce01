// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.request;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.virtio4j.iommu.embedder.ServedRequest;

/** Shows listeners the request slots, one after the other. Under the control lock. */
final class RequestView implements ServedRequest {

    private final ReplyWriter replies;
    private final boolean bytesKept;
    private Request request = new Request();

    /** Says whether {@link Request#bytes} are those of the request. */
    RequestView(ReplyWriter replies, boolean bytesKept) {
        this.replies = replies;
        this.bytesKept = bytesKept;
    }

    /** This object, for another request. */
    RequestView of(Request served) {
        request = served;
        return this;
    }

    @Override
    public boolean understood() {
        return request.answered;
    }

    @Override
    public int type() {
        return request.type;
    }

    @Override
    public int status() {
        return request.status;
    }

    @Override
    public long removed() {
        return request.removed;
    }

    @Override
    public int domain() {
        return request.domain;
    }

    @Override
    public int endpoint() {
        return request.endpoint;
    }

    @Override
    public int flags() {
        return request.flags;
    }

    @Override
    public long virtStart() {
        return request.virtStart;
    }

    @Override
    public long virtEnd() {
        return request.virtEnd;
    }

    @Override
    public long physStart() {
        return request.physStart;
    }

    @Override
    public long readableLength() {
        return request.chain.readableLength();
    }

    @Override
    public long writableLength() {
        return request.chain.writableLength();
    }

    @Override
    public long usedLength() {
        return request.chain.writtenLength();
    }

    @Override
    public int copyReadable(byte[] to) {
        if (!bytesKept) {
            throw new IllegalStateException("recordsTraffic=false; a listener that wants the bytes returns true there");
        }
        MemorySegment.copy(request.bytes, ValueLayout.JAVA_BYTE, 0, to, 0, request.bytesRead);
        return request.bytesRead;
    }

    @Override
    public int copyWritten(byte[] to) {
        int length = (int) request.chain.writtenLength();
        MemorySegment.copy(replies.composed(request), ValueLayout.JAVA_BYTE, 0, to, 0, length);
        return length;
    }
}
