// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher.replay;

import java.util.Arrays;
import org.virtio4j.trace.EventKind;
import org.virtio4j.trace.TraceEvent;
import org.virtio4j.trace.TraceFormatException;
import org.virtio4j.trace.TraceReader;
import org.virtio4j.trace.TranslationKind;

/**
 * Some events of a trace, decoded in advance, so that playing them measures nothing but the playing. One column for
 * each field, indexed by event; getters of fields that the event's kind does not have return what was there before.
 */
final class EventWindow {

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
    boolean fill(TraceReader reader) throws TraceFormatException {
        count = 0;
        rawUsed = 0;
        while (count < CAPACITY && rawUsed < MAX_RAW && reader.next()) {
            add(reader.event());
        }
        return count > 0;
    }

    int count() {
        return count;
    }

    EventKind kind(int event) {
        return kinds[event];
    }

    long line(int event) {
        return lines[event];
    }

    int iommu(int event) {
        return iommus[event];
    }

    int domain(int event) {
        return domains[event];
    }

    int endpoint(int event) {
        return endpoints[event];
    }

    int flags(int event) {
        return flags[event];
    }

    boolean flagsRecorded(int event) {
        return flagsRecorded[event];
    }

    /** Of a request. */
    int status(int event) {
        return statuses[event];
    }

    /** What was written to the device status. */
    int deviceStatus(int event) {
        return values[event];
    }

    /** What was written to the bypass byte. */
    int bypass(int event) {
        return values[event];
    }

    /** Of a fault. */
    int reason(int event) {
        return values[event];
    }

    /** Of a translation: 1 for a read, 2 for a write. */
    int access(int event) {
        return values[event];
    }

    /** {@link TraceEvent#UNRECORDED} where the trace does not say. */
    long removed(int event) {
        return removed[event];
    }

    /** Of a translation too, which has one address. */
    long virtStart(int event) {
        return virtStarts[event];
    }

    long virtEnd(int event) {
        return virtEnds[event];
    }

    /** Where a MAP leads. */
    long physStart(int event) {
        return physicals[event];
    }

    /** Where a translation led, or what address a fault has. */
    long address(int event) {
        return physicals[event];
    }

    TranslationKind translation(int event) {
        return translations[event];
    }

    /** Of a raw request, as the next ones. */
    int readableLength(int event) {
        return readableLengths[event];
    }

    long writableLength(int event) {
        return virtStarts[event];
    }

    long usedLength(int event) {
        return virtEnds[event];
    }

    int writtenLength(int event) {
        return writtenLengths[event];
    }

    void copyReadable(int event, byte[] to) {
        System.arraycopy(raw, rawStarts[event], to, 0, readableLengths[event]);
    }

    int written(int event, int place) {
        return raw[rawStarts[event] + readableLengths[event] + place] & 0xff;
    }

    private void add(TraceEvent event) {
        kinds[count] = event.kind();
        lines[count] = event.line();
        iommus[count] = event.iommu();
        switch (event.kind()) {
            case RAW -> addRaw(event);
            case STATUS -> values[count] = event.deviceStatus();
            case BYPASS -> values[count] = event.bypass();
            case TRANSLATE -> addTranslation(event);
            case FAULT -> addFault(event);
            default -> addRequest(event);
        }
        count++;
    }

    private void addRequest(TraceEvent event) {
        domains[count] = event.domain();
        endpoints[count] = event.endpoint();
        flags[count] = event.flags();
        flagsRecorded[count] = event.flagsRecorded();
        statuses[count] = event.status();
        removed[count] = event.removed();
        virtStarts[count] = event.virtStart();
        virtEnds[count] = event.virtEnd();
        physicals[count] = event.physStart();
    }

    private void addTranslation(TraceEvent event) {
        endpoints[count] = event.endpoint();
        values[count] = event.access();
        virtStarts[count] = event.iova();
        translations[count] = event.translation();
        physicals[count] = event.address();
    }

    private void addFault(TraceEvent event) {
        endpoints[count] = event.endpoint();
        values[count] = event.reason();
        flags[count] = event.flags();
        physicals[count] = event.address();
    }

    private void addRaw(TraceEvent event) {
        int length = event.readableLength() + event.writtenLength();
        if (raw.length - rawUsed < length) {
            raw = Arrays.copyOf(raw, MAX_RAW + 2 * TraceEvent.MAX_RAW_BYTES);
        }
        rawStarts[count] = rawUsed;
        readableLengths[count] = event.readableLength();
        writtenLengths[count] = event.writtenLength();
        virtStarts[count] = event.writableLength();
        virtEnds[count] = event.usedLength();
        System.arraycopy(event.readable(), 0, raw, rawUsed, event.readableLength());
        System.arraycopy(event.written(), 0, raw, rawUsed + event.readableLength(), event.writtenLength());
        rawUsed += length;
    }
}
