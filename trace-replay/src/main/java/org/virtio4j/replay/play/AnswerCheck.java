// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.replay.play;

import org.jspecify.annotations.Nullable;
import org.virtio4j.driver.iommu.AnswerListener;
import org.virtio4j.driver.iommu.RequestResult;
import org.virtio4j.replay.survey.EventWindow;
import org.virtio4j.trace.EventKind;
import org.virtio4j.trace.TraceEvent;
import org.virtio4j.wire.iommu.RequestStatus;
import org.virtio4j.wire.iommu.RequestTail;

/**
 * Compares each answer with the trace: what the driver found in guest memory and in the used ring, and what the device
 * says it did, which is the only way to know what an UNMAP removed.
 */
final class AnswerCheck implements AnswerListener {

    private final PendingRequests pending;
    private final ServedRequests served;
    private final Mismatches mismatches;
    private final Endpoints endpoints;
    private @Nullable EventWindow window;

    AnswerCheck(ComparedRequests compared, Endpoints endpoints) {
        this.pending = compared.pending();
        this.served = compared.served();
        this.mismatches = compared.mismatches();
        this.endpoints = endpoints;
    }

    /** The window that raw requests are in. */
    void window(EventWindow current) {
        window = current;
    }

    @Override
    public void answered(RequestResult result) {
        long tag = result.tag();
        // A request that went back unwritten was not understood; the device reports nothing about it.
        boolean spokenOf = result.usedLength() != 0;
        if (spokenOf && !served.hasNext()) {
            complainOfService(result, tag, result.status());
        } else if (pending.kind(tag) == EventKind.RAW) {
            checkRaw(result, tag);
        } else if (result.usedLength() != result.writableLength()) {
            complainOfLength(result, tag, result.writableLength());
        } else {
            checkStatus(result, tag);
        }
        if (spokenOf && served.hasNext()) {
            served.advance();
        }
        pending.answered(tag);
    }

    private void checkStatus(RequestResult result, long tag) {
        int expected = pending.status(tag);
        if (result.status() != expected) {
            complain(tag, expected, result.status());
        } else if (served.type() != result.type() || served.status() != expected) {
            complainOfService(result, tag, expected);
        } else if (pending.removed(tag) != TraceEvent.UNRECORDED && pending.removed(tag) != served.removed()) {
            complainOfRemoved(tag, pending.removed(tag), served.removed());
        } else if (pending.kind(tag) == EventKind.PROBE && expected == RequestStatus.OK) {
            checkProperties(result, tag);
        }
    }

    private void checkProperties(RequestResult result, long tag) {
        EndpointDma endpoint = endpoints.find(pending.endpoint(tag));
        long size = result.writableLength() - RequestTail.SIZE;
        if (endpoint != null && !endpoint.properties().match(result, size)) {
            if (mismatches.begin(pending.line(tag))) {
                mismatches.end(pending.describe(tag), endpoint.properties().describe(),
                        ProbeProperties.describe(result, size));
            }
        }
    }

    private void checkRaw(RequestResult result, long tag) {
        EventWindow raw = window;
        if (raw == null) {
            throw new IllegalStateException("window=none, but a raw request was made; say which window it is from");
        }
        int event = pending.event(tag);
        if (result.usedLength() != raw.usedLength(event)) {
            complainOfLength(result, tag, raw.usedLength(event));
            return;
        }
        for (int i = 0; i < raw.writtenLength(event); i++) {
            if (result.u8(i) != raw.written(event, i)) {
                complainOfByte(tag, i, raw.written(event, i), result.u8(i));
                return;
            }
        }
    }

    void complainOfRemoved(long tag, long expected, long came) {
        if (mismatches.begin(pending.line(tag))) {
            mismatches.end(pending.describe(tag), expected + " mappings removed", Long.toString(came));
        }
    }

    private void complainOfLength(RequestResult result, long tag, long expected) {
        if (mismatches.begin(pending.line(tag))) {
            mismatches.end(pending.describe(tag), "used length " + expected, Long.toString(result.usedLength()));
        }
    }

    private void complainOfByte(long tag, int place, int expected, int came) {
        if (mismatches.begin(pending.line(tag))) {
            mismatches.end(pending.describe(tag), "byte " + place + " written as 0x" + Integer.toHexString(expected),
                    "0x" + Integer.toHexString(came));
        }
    }

    private void complain(long tag, int expectedStatus, int status) {
        if (mismatches.begin(pending.line(tag))) {
            mismatches.end(pending.describe(tag), "status " + name(expectedStatus), name(status));
        }
    }

    /** The device reports another request, or none. */
    private void complainOfService(RequestResult result, long tag, int status) {
        if (mismatches.begin(pending.line(tag))) {
            mismatches.end(pending.describe(tag), serviceOf(result.type(), status),
                    served.hasNext() ? serviceOf(served.type(), served.status()) : "none");
        }
    }

    private static String serviceOf(int type, int status) {
        return "the device to serve type " + type + " with status " + name(status);
    }

    private static String name(int status) {
        return status == RequestResult.UNWRITTEN ? "none written" : RequestStatus.name(status);
    }
}
