// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.replay.result;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.virtio4j.replay.input.ReplayTransport;
import org.virtio4j.trace.EventKind;

/**
 * What came of a replay, or of several together. Immutable.
 *
 * @param name            of the trace
 * @param transport       over which it was played, null for several together
 * @param complete        false if the replay ended before the trace did, because the user or the device stopped it
 * @param events          how many events of the trace were played
 * @param requests        how many requests of each kind were made
 * @param kicks           how often the device was notified of requests
 * @param translations    how many translations were compared
 * @param nanos           how long playing requests and translations took, in nanoseconds; resets, setting up, and
 *                        reading the trace are left out
 * @param heapBytes       how much heap memory was allocated meanwhile, or -1 where the JVM cannot tell
 * @param peakMappings    how many mappings there were at most
 * @param mismatches      how many lines did not come out as recorded
 * @param firstMismatches the first of them, ten at most
 */
public record TraceResult(String name, @Nullable ReplayTransport transport, boolean complete, long events,
        Map<EventKind, Long> requests, long kicks, long translations, long nanos, long heapBytes, long peakMappings,
        long mismatches, List<Mismatch> firstMismatches) {

    /** Bytes of the heap where the JVM cannot tell. */
    public static final long UNKNOWN = -1;

    /** How many mismatches are put into words. */
    public static final int MOST_MISMATCHES = 10;

    /** Copies what was given. */
    public TraceResult {
        requests = Map.copyOf(requests);
        firstMismatches = List.copyOf(firstMismatches);
    }

    /**
     * How many requests of one kind were made.
     *
     * @param kind of the request
     * @return a count
     */
    public long count(EventKind kind) {
        return requests.getOrDefault(kind, 0L);
    }

    /**
     * How many requests were made.
     *
     * @return a count
     */
    public long requestCount() {
        return requests.values().stream().mapToLong(Long::longValue).sum();
    }

    /**
     * How fast it went, translations included in the time.
     *
     * @return requests in a second, 0 if there were none
     */
    public double requestsPerSecond() {
        return nanos == 0 ? 0 : requestCount() * 1e9 / nanos;
    }

    /**
     * How much heap memory a request took.
     *
     * @return bytes, of which those for translations are a part; 0 if there were no requests
     */
    public double heapBytesPerRequest() {
        return requestCount() == 0 ? 0 : (double) heapBytes / requestCount();
    }

    /**
     * Several results as one, with the highest of the peaks and the first of the mismatches.
     *
     * @param results any number
     * @return their sum, with the transport that all of them have
     */
    public static TraceResult total(List<TraceResult> results) {
        ReplayTransport first = results.isEmpty() ? null : results.getFirst().transport;
        boolean alike = results.stream().allMatch(result -> result.transport == first);
        TraceResult sum =
                new TraceResult("total", alike ? first : null, true, 0, Map.of(), 0, 0, 0, 0, 0, 0, List.of());
        for (TraceResult result : results) {
            sum = sum.plus(result);
        }
        return sum;
    }

    /**
     * The total of each transport.
     *
     * @param results any number, each of one transport
     * @return one for each transport that results are of
     */
    public static List<TraceResult> totals(List<TraceResult> results) {
        return Arrays.stream(ReplayTransport.values())
                .map(transport -> results.stream().filter(result -> result.transport == transport).toList())
                .filter(alike -> !alike.isEmpty())
                .map(TraceResult::total)
                .toList();
    }

    private TraceResult plus(TraceResult other) {
        Map<EventKind, Long> both = new EnumMap<>(EventKind.class);
        requests.forEach((kind, count) -> both.merge(kind, count, Long::sum));
        other.requests.forEach((kind, count) -> both.merge(kind, count, Long::sum));
        List<Mismatch> all = new ArrayList<>(firstMismatches);
        all.addAll(other.firstMismatches);
        boolean measured = heapBytes != UNKNOWN && other.heapBytes != UNKNOWN;
        return new TraceResult(name, transport, complete && other.complete, events + other.events, both,
                kicks + other.kicks, translations + other.translations, nanos + other.nanos,
                measured ? heapBytes + other.heapBytes : UNKNOWN, Math.max(peakMappings, other.peakMappings),
                mismatches + other.mismatches, all.subList(0, Math.min(MOST_MISMATCHES, all.size())));
    }
}
