// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.replay.survey;

import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.virtio4j.replay.input.TraceFile;
import org.virtio4j.replay.input.UnusableTraceException;
import org.virtio4j.trace.RawRequest;
import org.virtio4j.trace.TraceEvent;
import org.virtio4j.trace.TraceHeader;
import org.virtio4j.wire.iommu.AttachRequest;
import org.virtio4j.wire.iommu.ProbeRequest;
import org.virtio4j.wire.iommu.RequestHead;
import org.virtio4j.wire.iommu.RequestStatus;
import org.virtio4j.wire.iommu.RequestTail;
import org.virtio4j.wire.iommu.RequestType;

/** What a trace says about one IOMMU all through: the endpoints it names, and whether its driver maps at all. */
public final class IommuSurvey {

    private final TraceHeader.Iommu recorded;
    private final SortedSet<Integer> endpoints = new TreeSet<>();
    private long maps;
    private long raws;

    IommuSurvey(TraceHeader.Iommu recorded) {
        this.recorded = recorded;
        recorded.endpoints().forEach(endpoint -> endpoints.add(endpoint.id()));
    }

    public TraceHeader.Iommu recorded() {
        return recorded;
    }

    /** The endpoints that exist: those listed, and those named but not called unknown. */
    public SortedSet<Integer> endpoints() {
        return endpoints;
    }

    /** A guest that never maps anything has its devices in bypass domains. */
    boolean passthrough() {
        return maps == 0;
    }

    /** No more mappings than this can ever live at a time. */
    public long mostMappings() {
        return maps + raws;
    }

    void add(TraceEvent event, long line, TraceFile trace) throws UnusableTraceException {
        switch (event) {
            case TraceEvent.Map _ -> maps++;
            case TraceEvent.Probe probe -> name(probe.endpoint(), probe.status());
            case TraceEvent.Attach attach -> name(attach.endpoint(), attach.status());
            case TraceEvent.Detach detach -> name(detach.endpoint(), detach.status());
            case TraceEvent.Translate translation -> translation(translation, line, trace);
            case TraceEvent.Fault fault -> name(fault.endpoint(), RequestStatus.OK);
            case RawRequest request -> raw(request);
            default -> {
                // Names no endpoint.
            }
        }
    }

    private void name(int endpoint, int status) {
        if (status != RequestStatus.NOENT && recorded.otherRegions() != null) {
            endpoints.add(endpoint);
        }
    }

    /** A device that is not behind the IOMMU cannot have been translated for. */
    private void translation(TraceEvent.Translate event, long line, TraceFile trace) throws UnusableTraceException {
        name(event.endpoint(), RequestStatus.OK);
        if (!endpoints.contains(event.endpoint())) {
            throw new UnusableTraceException(trace.name() + ":" + line
                    + ": expected an endpoint of the first line, found '"
                    + Integer.toUnsignedString(event.endpoint()) + "'");
        }
    }

    private void raw(RawRequest event) {
        raws++;
        Integer endpoint = endpointOf(event.readable());
        byte[] written = event.written();
        if (endpoint != null && written.length >= RequestTail.SIZE) {
            name(endpoint, written[(int) (written.length - RequestTail.SIZE)] & 0xff);
        }
    }

    /** The endpoint that a raw request is about, if it has one. */
    private static @Nullable Integer endpointOf(byte[] bytes) {
        int type = bytes.length == 0 ? 0 : bytes[(int) RequestHead.TYPE] & 0xff;
        long place = switch (type) {
            case RequestType.ATTACH, RequestType.DETACH -> AttachRequest.ENDPOINT;
            case RequestType.PROBE -> ProbeRequest.ENDPOINT;
            default -> Integer.MAX_VALUE;
        };
        if (place > bytes.length - Integer.BYTES) {
            return null;
        }
        int value = 0;
        for (int i = Integer.BYTES - 1; i >= 0; i--) {
            value = (value << Byte.SIZE) | (bytes[(int) place + i] & 0xff);
        }
        return value;
    }

    /** The reserved regions of an endpoint that exists. */
    public List<TraceHeader.Region> regionsOf(int endpoint) {
        List<TraceHeader.Region> regions = recorded.regionsOf(endpoint);
        return regions == null ? List.of() : regions;
    }

    /** Whether the driver sent this with the BYPASS flag, where that was not recorded. */
    public int attachFlags(boolean flagsRecorded, int flags) {
        if (flagsRecorded) {
            return flags;
        }
        return passthrough() ? AttachRequest.FLAG_BYPASS : 0;
    }
}
