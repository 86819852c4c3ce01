// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.replay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;
import org.virtio4j.replay.input.ReplayObserver;
import org.virtio4j.replay.input.ReplayTransport;
import org.virtio4j.replay.input.TraceFile;
import org.virtio4j.replay.result.Mismatch;
import org.virtio4j.replay.result.TraceResult;
import org.virtio4j.replay.survey.WarmUpTraces;
import org.virtio4j.trace.EventKind;

@ParameterizedClass(name = "{0}")
@EnumSource
class ReplayTest {

    private static final ReplayObserver PATIENT = (phase, trace, done, total) -> true;

    private final ReplayTransport transport;

    ReplayTest(ReplayTransport transport) {
        this.transport = transport;
    }

    @Test
    void shouldMatchWhenATraceHasEveryKindOfEvent() throws Exception {
        TraceResult result = play(everyKind());
        assertEquals(List.of(), result.firstMismatches());
        assertEquals(5, result.count(EventKind.PROBE));
        assertEquals(4, result.count(EventKind.ATTACH));
        assertEquals(3, result.count(EventKind.DETACH));
        assertEquals(4, result.count(EventKind.RAW));
        assertEquals(10, result.translations());
        assertEquals(4, result.peakMappings());
        assertTrue(result.complete());
        assertEquals(transport, result.transport());
    }

    @Test
    void shouldMatchWhenWarmingUp() throws Exception {
        for (TraceFile trace : WarmUpTraces.all()) {
            TraceResult result = Objects.requireNonNull(Replay.of(trace, PATIENT)).play(transport, PATIENT);
            assertEquals(List.of(), result.firstMismatches(), trace.name());
        }
    }

    @Test
    void shouldNameEachLineOfABootWhenItsResultIsChanged() throws Exception {
        List<String> lines = boot();
        for (int line = 1; line <= lines.size(); line++) {
            if ("AMUT".indexOf(lines.get(line - 1).charAt(0)) >= 0) {
                List<String> changed = new ArrayList<>(lines);
                changed.set(line - 1, withAnotherResult(lines.get(line - 1)));
                assertOnlyMismatch(line, String.join("\n", changed) + "\n");
            }
        }
    }

    @Test
    void shouldNameTheLineWhenItsResultIsChangedInVersion2() throws Exception {
        assertEveryKindMismatch("P 48 0", "P 48 4");
        assertEveryKindMismatch("A 1 32 0 0 3", "A 1 32 0 0 2");
        assertEveryKindMismatch("D 1 32 0 1", "D 1 32 0 0");
        assertEveryKindMismatch("D 2 32 4 0", "D 2 32 6 0");
        assertEveryKindMismatch("M 0 1001 1fff 10001000 3 5", "M 0 1001 1fff 10001000 3 4");
        assertEveryKindMismatch("U 0 1fff 0 5 0", "U 0 1fff 0 0 0");
        assertEveryKindMismatch("R 77000000 4 0 -", "R 77000000 4 4 02000000");
        assertEveryKindMismatch("4 4 04000000", "4 4 00000000");
        assertEveryKindMismatch("F 2 257 32 5000", "F 1 257 32 5000");
        assertEveryKindMismatch("F 2 258 32 2000", "F 2 258 32 2001");
        assertEveryKindMismatch("T 32 fee00000 2 m", "T 32 fee00000 2 f");
        assertEveryKindMismatch("T 48 1234 1 b", "T 48 1234 1 m");
        assertEveryKindMismatch("T1 7 ffff0010 2 20000010", "T1 7 ffff0010 2 20000011");
    }

    @Test
    void shouldSeeAnotherRegionWhenAProbeAnswersDifferently() throws Exception {
        String swapped = everyKind().replace("reserved:8000000-80fffff,msi:fee00000-feefffff", "msi:fee00000-feefffff");
        assertEquals(List.of(), play(swapped).firstMismatches());
        String none = everyKind().replace("T 32 fee00000 2 m\n", "").replace("32:msi:fee00000-feefffff", "32");
        assertEquals(List.of(), play(none).firstMismatches());
    }

    @Test
    void shouldExpectADriverWhenARequestComesTooEarly() throws Exception {
        TraceResult result = play("S 0\nS 1\nS 3\nM 0 1000 1fff 1000 3 0\nS 11\nS 15\n");
        assertEquals(1, result.mismatches());
        assertEquals("trace:4: MAP: expected a driver that has set up its queues, came device status 3",
                result.firstMismatches().getFirst().toString());
        assertEquals(0, result.requestCount());
    }

    @Test
    void shouldDropTheDriverWhenTheMachineIsReset() throws Exception {
        TraceResult result = play("S 0\nS 1\nS 3\nS 11\nS 15\nA 0 8 0\nM 0 1000 1fff 1000 3 0\nZ\nU 0 1000 1fff 0 1\n");
        assertEquals(List.of(new Mismatch("trace", 9,
                "UNMAP: expected a driver that has set up its queues, came device status 0")),
                result.firstMismatches());
        assertEquals(1, result.peakMappings());
    }

    @Test
    void shouldNameTheLineWhenADeviceStatusIsNotTaken() throws Exception {
        TraceResult result = play("S 0\nS 1\nS 5\nS 3\n");
        assertEquals("trace:3: device status: expected 5, came 1 (NOT_LIVE)",
                result.firstMismatches().getFirst().toString());
        assertEquals(1, result.mismatches());
    }

    @Test
    void shouldKickOnceWhenABatchFitsTheRing() throws Exception {
        StringBuilder trace = new StringBuilder("S 0\nS 1\nS 3\nS 11\nS 15\nA 0 8 0\n");
        for (int i = 0; i < 256; i++) {
            trace.append(String.format("M 0 %x000 %xfff 1000 3 0%n", i + 1, i + 1));
        }
        assertEquals(2, play(trace.toString()).kicks());
        assertEquals(3, play(trace + "M 0 1000000 1000fff 1000 3 0\n").kicks());
    }

    @Test
    void shouldTakeAnEndpointForUnknownWhenEveryAnswerSaysSo() throws Exception {
        String up = "S 0\nS 1\nS 3\nS 11\nS 15\n";
        assertEquals(List.of(), play(up + "A 0 9 6\nD 0 9 6\n").firstMismatches());
        assertEquals(2, play(up + "A 0 9 6\nD 0 9 4\n").firstMismatches().getFirst().line() - 4);
    }

    @Test
    void shouldKeepWhatWasReachedWhenTheObserverEndsIt() throws Exception {
        List<String> lines = new ArrayList<>(List.of("S 0", "S 1", "S 3", "S 11", "S 15", "A 0 8 0"));
        for (int i = 0; i < 10_000; i++) {
            lines.add("M 0 1000 1fff 1000 3 " + (i == 0 ? 0 : 4));
        }
        Replay replay = Objects.requireNonNull(Replay.of(file(String.join("\n", lines)), PATIENT));
        TraceResult result = replay.play(transport, (phase, which, done, total) -> done < 4096);
        assertFalse(result.complete());
        assertEquals(4096, result.events());
        assertEquals(4090, result.count(EventKind.MAP));
        assertEquals(0, result.mismatches());
    }

    @Test
    void shouldPlayNothingWhenTheObserverEndsTheReading() throws Exception {
        assertNull(Replay.of(TraceFile.SHIPPED, (phase, trace, done, total) -> false));
    }

    private static String withAnotherResult(String line) {
        String[] fields = line.split(" ");
        int last = fields.length - 1;
        fields[last] = switch (fields[0]) {
            case "T" -> fields[last].equals("m") ? "f" : Long.toHexString(Long.parseUnsignedLong(fields[last], 16) + 1);
            case "U" -> "2";
            default -> "4";
        };
        return String.join(" ", fields);
    }

    private void assertEveryKindMismatch(String from, String to) throws Exception {
        String trace = everyKind();
        assertTrue(trace.contains(from), from);
        int line = 1 + (int) trace.substring(0, trace.indexOf(from)).lines().count();
        boolean atLineStart = trace.charAt(trace.indexOf(from) - 1) == '\n';
        assertOnlyMismatch(atLineStart ? line : line - 1, trace.replace(from, to));
    }

    private void assertOnlyMismatch(long line, String trace) throws Exception {
        TraceResult result = play(trace);
        assertEquals(1, result.mismatches(), () -> "line " + line + ": " + result.firstMismatches());
        assertEquals(line, result.firstMismatches().getFirst().line());
    }

    private static String everyKind() throws IOException {
        try (InputStream in = Objects.requireNonNull(WarmUpTraces.class.getResourceAsStream("every-kind.trace"))) {
            return new String(in.readAllBytes(), StandardCharsets.US_ASCII);
        }
    }

    /** The trace that comes along, line by line. */
    private static List<String> boot() throws IOException {
        InputStream resource = Objects.requireNonNull(TraceFile.class.getResourceAsStream(TraceFile.SHIPPED.name()));
        try (InputStream in = new GZIPInputStream(resource)) {
            return new String(in.readAllBytes(), StandardCharsets.US_ASCII).lines().toList();
        }
    }

    private static TraceFile file(String text) {
        return TraceFile.of("trace", text.getBytes(StandardCharsets.US_ASCII));
    }

    private TraceResult play(String text) throws Exception {
        return Objects.requireNonNull(Replay.of(file(text), PATIENT)).play(transport, PATIENT);
    }
}
