// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.replay.survey;

import java.util.Arrays;
import org.virtio4j.trace.EventKind;
import org.virtio4j.trace.RawRequest;
import org.virtio4j.trace.TraceEvent;
import org.virtio4j.trace.TraceFormatException;
import org.virtio4j.trace.TraceReader;
import org.virtio4j.trace.TranslationKind;

/**
 * Some events of a trace, decoded in advance, so that playing them measures nothing but the playing. One column for
 * each field, indexed by event; getters of fields that the event's kind does not have return what was there before.
 */
public final class EventWindow {

    static final int CAPACITY = 4096;

    /** A window is full too when it holds so many bytes of raw requests. */
    private static final int MAX_RAW = 1 << 20;

    private final EventKind[] kinds = new EventKind[CAPACITY];
    private final long[] lines = new long[CAPACITY];
    private final int[] iommus = new int[CAPACITY];
    private final int[] domains = new int[CAPACITY];
    private final int[] endpoints = new int[CAPACITY];
    private final int[] flags = new int[CAPACITY];
    private final boolean[] flagsRecorded = new boolean[CAPACITY];
    private final int[] statuses = new int[CAPACITY];
    private final int[] values = new int[CAPACITY];
    private final long[] removed = new long[CAPACITY];
    private final long[] virtStarts = new long[CAPACITY];
    private final long[] virtEnds = new long[CAPACITY];
    private final long[] physicals = new long[CAPACITY];
    private final TranslationKind[] translations = new TranslationKind[CAPACITY];

    /** Of a raw request: its bytes in {@link #raw}, the readable ones and behind them the written ones. */
    private final int[] rawStarts = new int[CAPACITY];
    private final int[] readableLengths = new int[CAPACITY];
    private final int[] writtenLengths = new int[CAPACITY];
    private byte[] raw = new byte[0];
    private int rawUsed;
    private int count;

    /** Replaces the content by the next events of a trace; false at its end. */
    public boolean fill(TraceReader reader) throws TraceFormatException {
        count = 0;
        rawUsed = 0;
        while (count < CAPACITY && rawUsed < MAX_RAW && reader.next()) {
            add(reader.event(), reader.line());
        }
        return count > 0;
    }

    public int count() {
        return count;
    }

    public EventKind kind(int event) {
        return kinds[event];
    }

    public long line(int event) {
        return lines[event];
    }

    public int iommu(int event) {
        return iommus[event];
    }

    public int domain(int event) {
        return domains[event];
    }

    public int endpoint(int event) {
        return endpoints[event];
    }

    public int flags(int event) {
        return flags[event];
    }

    public boolean flagsRecorded(int event) {
        return flagsRecorded[event];
    }

    /** Of a request. */
    public int status(int event) {
        return statuses[event];
    }

    /** What was written to the device status. */
    public int deviceStatus(int event) {
        return values[event];
    }

    /** What was written to the bypass byte. */
    public int bypass(int event) {
        return values[event];
    }

    /** Of a fault. */
    public int reason(int event) {
        return values[event];
    }

    /** Of a translation: 1 for a read, 2 for a write. */
    public int access(int event) {
        return values[event];
    }

    /** {@link TraceEvent#UNRECORDED} where the trace does not say. */
    public long removed(int event) {
        return removed[event];
    }

    /** Of a translation too, which has one address. */
    public long virtStart(int event) {
        return virtStarts[event];
    }

    public long virtEnd(int event) {
        return virtEnds[event];
    }

    /** Where a MAP leads. */
    public long physStart(int event) {
        return physicals[event];
    }

    /** Where a translation led, or what address a fault has. */
    public long address(int event) {
        return physicals[event];
    }

    public TranslationKind translation(int event) {
        return translations[event];
    }

    /** Of a raw request, as the next ones. */
    public int readableLength(int event) {
        return readableLengths[event];
    }

    public long writableLength(int event) {
        return virtStarts[event];
    }

    public long usedLength(int event) {
        return virtEnds[event];
    }

    public int writtenLength(int event) {
        return writtenLengths[event];
    }

    public void copyReadable(int event, byte[] to) {
        System.arraycopy(raw, rawStarts[event], to, 0, readableLengths[event]);
    }

    public int written(int event, int place) {
        return raw[rawStarts[event] + readableLengths[event] + place] & 0xff;
    }

    private void add(TraceEvent event, long line) {
        kinds[count] = event.kind();
        lines[count] = line;
        iommus[count] = event.iommu();
        switch (event) {
            case TraceEvent.Answered request -> addRequest(request);
            case TraceEvent.Translate translation -> addTranslation(translation);
            case TraceEvent.Fault fault -> addFault(fault);
            case RawRequest request -> addRaw(request);
            case TraceEvent.Status status -> values[count] = status.deviceStatus();
            case TraceEvent.Bypass bypass -> values[count] = bypass.bypass();
            case TraceEvent.Reset _, TraceEvent.Kick _ -> {
                // Has no more fields.
            }
        }
        count++;
    }

    private void addRequest(TraceEvent.Answered request) {
        statuses[count] = request.status();
        switch (request) {
            case TraceEvent.Map map -> {
                domains[count] = map.domain();
                virtStarts[count] = map.virtStart();
                virtEnds[count] = map.virtEnd();
                physicals[count] = map.physStart();
                flags[count] = map.flags();
            }
            case TraceEvent.Unmap unmap -> {
                domains[count] = unmap.domain();
                virtStarts[count] = unmap.virtStart();
                virtEnds[count] = unmap.virtEnd();
                removed[count] = unmap.removed();
            }
            case TraceEvent.Attach attach -> {
                addAttachment(attach.domain(), attach.endpoint(), attach.removed());
                flags[count] = attach.flags();
                flagsRecorded[count] = attach.flagsRecorded();
            }
            case TraceEvent.Detach detach -> addAttachment(detach.domain(), detach.endpoint(), detach.removed());
            case TraceEvent.Probe probe -> endpoints[count] = probe.endpoint();
        }
    }

    private void addAttachment(int domain, int endpoint, long mappingsRemoved) {
        domains[count] = domain;
        endpoints[count] = endpoint;
        removed[count] = mappingsRemoved;
    }

    private void addTranslation(TraceEvent.Translate event) {
        endpoints[count] = event.endpoint();
        values[count] = event.access();
        virtStarts[count] = event.iova();
        translations[count] = event.translation();
        physicals[count] = event.address();
    }

    private void addFault(TraceEvent.Fault event) {
        endpoints[count] = event.endpoint();
        values[count] = event.reason();
        flags[count] = event.flags();
        physicals[count] = event.address();
    }

    private void addRaw(RawRequest event) {
        byte[] readable = event.readable();
        byte[] written = event.written();
        int length = readable.length + written.length;
        if (raw.length - rawUsed < length) {
            raw = Arrays.copyOf(raw, MAX_RAW + 2 * TraceEvent.MAX_RAW_BYTES);
        }
        rawStarts[count] = rawUsed;
        readableLengths[count] = readable.length;
        writtenLengths[count] = written.length;
        virtStarts[count] = event.writableLength();
        virtEnds[count] = event.usedLength();
        System.arraycopy(readable, 0, raw, rawUsed, readable.length);
        System.arraycopy(written, 0, raw, rawUsed + readable.length, written.length);
        rawUsed += length;
    }
}
