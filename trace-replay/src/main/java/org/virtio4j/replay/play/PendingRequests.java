// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.replay.play;

import org.virtio4j.replay.survey.EventWindow;
import org.virtio4j.trace.EventKind;
import org.virtio4j.trace.TraceEvent;

/**
 * What is expected of the requests that are on their way, by the tag each was made with: the trace may have been read
 * on when the answers come.
 */
final class PendingRequests {

    private final EventKind[] kinds;
    private final long[] lines;
    private final int[] events;
    private final int[] domains;
    private final int[] endpoints;
    private final int[] statuses;
    private final long[] virtStarts;
    private final long[] virtEnds;
    private final long[] removed;
    private final int mask;
    private long next;
    private long answered;
    private int raw;

    /** The driver first takes a request and then waits for another if the ring is full, so there is room for more. */
    PendingRequests(int ringSize) {
        int size = 2 * ringSize;
        kinds = new EventKind[size];
        lines = new long[size];
        events = new int[size];
        domains = new int[size];
        endpoints = new int[size];
        statuses = new int[size];
        virtStarts = new long[size];
        virtEnds = new long[size];
        removed = new long[size];
        mask = size - 1;
    }

    /** Remembers a request; returns its tag. */
    long add(EventWindow window, int event) {
        int place = (int) (next & mask);
        EventKind kind = window.kind(event);
        kinds[place] = kind;
        lines[place] = window.line(event);
        events[place] = event;
        domains[place] = window.domain(event);
        endpoints[place] = window.endpoint(event);
        statuses[place] = window.status(event);
        virtStarts[place] = window.virtStart(event);
        virtEnds[place] = window.virtEnd(event);
        removed[place] = kind == EventKind.UNMAP ? window.removed(event) : TraceEvent.UNRECORDED;
        raw += kind == EventKind.RAW ? 1 : 0;
        return next++;
    }

    /** The request with this tag was answered; so were those before it. */
    void answered(long tag) {
        raw -= kind(tag) == EventKind.RAW ? 1 : 0;
        answered = tag + 1;
    }

    /** Whether a request still needs the window that it was read from. */
    boolean needsWindow() {
        return raw != 0;
    }

    /** The device or the machine was reset: what is on its way does not come back. */
    void clear() {
        answered = next;
        raw = 0;
    }

    boolean isEmpty() {
        return answered == next;
    }

    /** The tag of the request that waits longest. */
    long oldest() {
        return answered;
    }

    EventKind kind(long tag) {
        return kinds[(int) (tag & mask)];
    }

    long line(long tag) {
        return lines[(int) (tag & mask)];
    }

    /** Its index in the window. */
    int event(long tag) {
        return events[(int) (tag & mask)];
    }

    int endpoint(long tag) {
        return endpoints[(int) (tag & mask)];
    }

    int status(long tag) {
        return statuses[(int) (tag & mask)];
    }

    /** How many mappings an UNMAP is to remove; {@link TraceEvent#UNRECORDED} for all else. */
    long removed(long tag) {
        return removed[(int) (tag & mask)];
    }

    /** The request in words. */
    String describe(long tag) {
        int place = (int) (tag & mask);
        String domain = " domain " + Integer.toUnsignedString(domains[place]);
        String endpoint = " endpoint " + Integer.toUnsignedString(endpoints[place]);
        return switch (kinds[place]) {
            case MAP, UNMAP -> kinds[place] + domain + " " + Long.toHexString(virtStarts[place]) + "-"
                    + Long.toHexString(virtEnds[place]);
            case PROBE -> kinds[place] + endpoint;
            case RAW -> "raw request";
            default -> kinds[place] + domain + endpoint;
        };
    }
}
