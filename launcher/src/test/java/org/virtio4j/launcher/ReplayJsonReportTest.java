// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.virtio4j.replay.input.ReplayTransport;
import org.virtio4j.replay.result.Mismatch;
import org.virtio4j.replay.result.TraceResult;
import org.virtio4j.trace.EventKind;

class ReplayJsonReportTest {

    private static final String RESULT = """
            {
              "name": "a\\"b\\\\c\\u00fc",
              "transport": "pci",
              "complete": true,
              "events": 9,
              "requests": 4,
              "requestsByKind": {
                "map": 3,
                "unmap": 0,
                "attach": 0,
                "detach": 0,
                "probe": 0,
                "raw": 1
              },
              "kicks": 2,
              "nanoseconds": 2000000000,
              "requestsPerSecond": 2.000000,
              "translations": 5,
              "peakLiveMappings": 7,
              "heapBytes": 6,
              "heapBytesPerRequest": 1.500000,
              "mismatches": 1,
              "firstMismatches": [
                {
                  "file": "f",
                  "line": 4,
                  "text": "x\\ty"
                }
              ]
            }""";

    @Test
    void shouldKeepOrderAndEscapeWhenThereIsAMismatch() {
        TraceResult result = new TraceResult("a\"b\\c\u00fc", ReplayTransport.PCI, true, 9,
                Map.of(EventKind.MAP, 3L, EventKind.RAW, 1L), 2, 5, 2_000_000_000, 6, 7, 1,
                List.of(new Mismatch("f", 4, "x\ty")));
        String expected = "{\n  \"virtio4j\": \"" + Version.text() + "\",\n  \"interrupted\": false,\n  \"traces\": [\n"
                + RESULT.indent(4).stripTrailing() + "\n  ],\n  \"total\": "
                + RESULT.replace("a\\\"b\\\\c\\u00fc", "total").indent(2).strip() + ",\n  \"totals\": [\n"
                + RESULT.replace("a\\\"b\\\\c\\u00fc", "total").indent(4).stripTrailing() + "\n  ]\n}\n";
        assertEquals(expected, ReplayJsonReport.of(List.of(result), false));
    }

    /** Before a library wrote it, a tab was escaped by its number. A parser finds the same. */
    @Test
    void shouldMeanTheSameAsTheFormerText() throws IOException {
        TraceResult result = new TraceResult("a\"b\\c\u00fc", ReplayTransport.PCI, true, 9,
                Map.of(EventKind.MAP, 3L, EventKind.RAW, 1L), 2, 5, 2_000_000_000, 6, 7, 1,
                List.of(new Mismatch("f", 4, "x\ty")));
        String former = RESULT.replace("x\\ty", "x\\u0009y");
        String total = former.replace("a\\\"b\\\\c\\u00fc", "total");
        assertEquals(tokens("{\"virtio4j\":\"" + Version.text() + "\",\"interrupted\":true,\"traces\":[" + former
                + "],\"total\":" + total + ",\"totals\":[" + total + "]}"),
                tokens(ReplayJsonReport.of(List.of(result), true)));
    }

    /** What a parser finds, in order: kinds, names, strings, and numbers as they are written. */
    private static List<String> tokens(String json) throws IOException {
        List<String> tokens = new ArrayList<>();
        try (JsonParser parser = new JsonFactory().createParser(json)) {
            while (parser.nextToken() != null) {
                tokens.add(parser.currentToken() + " " + parser.getText());
            }
        }
        return tokens;
    }

    @Test
    void shouldWriteNullWhenTheJvmDoesNotCountBytes() {
        TraceResult result =
                new TraceResult("t", ReplayTransport.MMIO, true, 0, Map.of(), 0, 0, 0, -1, 0, 0, List.of());
        String json = ReplayJsonReport.of(List.of(result), true);
        assertEquals(3, json.split("\"heapBytes\": null,", -1).length - 1, json);
        assertEquals(3, json.split("\"firstMismatches\": \\[\\]", -1).length - 1, json);
    }

    @Test
    void shouldHaveATotalOfEachTransportAndOneOfAllWhenThereAreTwo() {
        List<TraceResult> results = List.of(result(ReplayTransport.MMIO), result(ReplayTransport.PCI));
        List<String> lines = ReplayJsonReport.of(results, false).lines().map(String::strip).toList();
        assertEquals(List.of("\"transport\": \"mmio\",", "\"transport\": \"pci\",", "\"transport\": null,",
                "\"transport\": \"mmio\",", "\"transport\": \"pci\","),
                lines.stream().filter(line -> line.startsWith("\"transport\"")).toList());
        assertEquals(List.of("\"kicks\": 2,", "\"kicks\": 2,", "\"kicks\": 4,", "\"kicks\": 2,", "\"kicks\": 2,"),
                lines.stream().filter(line -> line.startsWith("\"kicks\"")).toList());
    }

    private static TraceResult result(ReplayTransport transport) {
        return new TraceResult("t", transport, true, 0, Map.of(), 2, 0, 0, 0, 0, 0, List.of());
    }
}
