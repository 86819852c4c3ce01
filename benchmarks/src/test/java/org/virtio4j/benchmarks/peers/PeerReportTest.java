// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.virtio4j.benchmarks.host.Caches;
import org.virtio4j.benchmarks.host.ControlLoops;
import org.virtio4j.benchmarks.host.Host;
import org.virtio4j.benchmarks.peers.input.PeerOperation;
import org.virtio4j.benchmarks.peers.result.MedianAndRange;
import org.virtio4j.benchmarks.peers.result.PeerColumn;
import org.virtio4j.benchmarks.peers.result.PeerRow;
import org.virtio4j.benchmarks.peers.result.PeerText;

class PeerReportTest {

    private static final ControlLoops STEADY = new ControlLoops(1, 40, 0.01);

    private static final Host HOST = new Host("VM 25", "CPU \u00b5", 2, new Caches(1 << 20, 32 << 20, true),
            8L << 30, "Linux", 0.5, List.of("-Xmx1g", "-ea"), "abc", "2026-01-02T03:04:05Z");

    /** The text as it was before a library wrote it. */
    private static final String JSON = """
            {
              "mode": "quick",
              "complete": false,
              "jdk": "VM 25",
              "cpu": "CPU \\u00b5",
              "cores": 2,
              "level2Bytes": 1048576,
              "lastLevelBytes": 33554432,
              "memoryBytes": 8589934592,
              "system": "Linux",
              "load": 0.500000,
              "jvmFlags": [
                "-Xmx1g",
                "-ea"
              ],
              "commit": "abc",
              "date": "2026-01-02T03:04:05Z",
              "controlBefore": {
                "arithmeticNanos": 1.000000,
                "chaseNanos": 40.000000,
                "spread": 0.010000
              },
              "controlAfter": {
                "arithmeticNanos": 1.000000,
                "chaseNanos": 40.000000,
                "spread": 0.010000
              },
              "built": [
                "GLib GTree: \\"not\\" measured"
              ],
              "rows": [
                {
                  "operation": "lookup",
                  "geometry": "1 k mappings",
                  "unit": "ns",
                  "columns": {
                    "virtio4j": {
                      "median": 50.000000,
                      "min": 50.000000,
                      "max": 50.000000
                    },
                    "Rust BTreeMap": {
                      "median": 100.000000,
                      "min": 100.000000,
                      "max": 100.000000
                    },
                    "Java TreeMap": {
                      "median": 150.000000,
                      "min": 150.000000,
                      "max": 150.000000
                    },
                    "one miss": {
                      "median": 25.000000,
                      "min": 25.000000,
                      "max": 25.000000
                    }
                  },
                  "byOurs": {
                    "Rust BTreeMap": 2.000000,
                    "Java TreeMap": 3.000000
                  },
                  "misses": 2.000000
                }
              ]
            }
            """;

    @Test
    void shouldTakeTheMedianOfAllRounds() {
        assertEquals(new MedianAndRange(2, 1, 9), MedianAndRange.of(List.of(9.0, 1.0, 2.0)));
    }

    @Test
    void shouldPrintRatiosAndLeaveEmptyWhatWasNotMeasured() {
        assertEquals("""
                | operation | geometry | unit | virtio4j | Rust BTreeMap | GLib GTree | Java TreeMap | C loop \
                | one miss | Rust / ours | GTree / ours | TreeMap / ours | C loop / ours | ours / miss |
                |---|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|
                | lookup | 1 k mappings | ns | 50.0 | 100 |  | 150 |  | 25.0 | 2.00 |  | 3.00 |  | 2.00 |
                """, PeerText.markdown(rows()));
    }

    @Test
    void shouldAlignTheTableOfATerminal() {
        String head = PeerText.head();
        String line = PeerText.line(rows().getFirst());
        assertEquals(head.length(), line.length());
        assertEquals(head.indexOf("virtio4j") + "virtio4j".length(), line.indexOf("50.0") + "50.0".length());
    }

    @Test
    void shouldWriteColumnsThatWereMeasuredAsJson() {
        String json = new PeerReport(Host.present(), PeerMode.QUICK, true, List.of("GLib GTree: not measured"), rows(),
                STEADY, STEADY).json();
        assertTrue(json.contains("\"Rust BTreeMap\": {"), json);
        assertTrue(json.contains("\"misses\": 2.000000"), json);
        assertTrue(json.contains("\"unit\": \"ns\""), json);
        assertFalse(json.contains("\"GLib GTree\": {"), json);
    }

    @Test
    void shouldKeepTheOrderAndTheFormOfNumbers() {
        assertEquals(JSON, new PeerReport(HOST, PeerMode.QUICK, false, List.of("GLib GTree: \"not\" measured"), rows(),
                STEADY, STEADY).json());
    }

    private static List<PeerRow> rows() {
        Samples samples = new Samples();
        samples.add(PeerOperation.LOOKUP, PeerColumn.VIRTIO4J, 50);
        samples.add(PeerOperation.LOOKUP, PeerColumn.RUST, 100);
        samples.add(PeerOperation.LOOKUP, PeerColumn.TREE_MAP, 150);
        samples.add(PeerOperation.LOOKUP, PeerColumn.MISS, 25);
        return samples.rows("1 k mappings");
    }
}
