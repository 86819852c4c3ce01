// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.virtio4j.benchmarks.host.Caches;
import org.virtio4j.benchmarks.host.ControlLoops;
import org.virtio4j.benchmarks.host.Host;
import org.virtio4j.benchmarks.jmh.DoorbellBenchmark;
import org.virtio4j.benchmarks.jmh.RequestBenchmark;
import org.virtio4j.benchmarks.suite.BenchmarkRow;
import org.virtio4j.benchmarks.suite.RunMode;

class ReportTest {

    private static final ControlLoops STEADY = new ControlLoops(1, 40, 0.01);
    private static final BenchmarkRow MAP = BenchmarkRow.of("MAP, one a doorbell", "mmio", RequestBenchmark.class,
            "map", Map.of());
    private static final BenchmarkRow DECODE = BenchmarkRow.of("doorbell decode", "mmio, idle",
            DoorbellBenchmark.class, "decode", Map.of("transport", "MMIO")).against(MAP);

    private static final Host HOST = new Host("VM 25", "CPU \u00b5", 2, new Caches(1 << 20, 32 << 20, true),
            8L << 30, "Linux", 0.5, List.of("-Xmx1g", "-ea"), "abc", "2026-01-02T03:04:05Z");

    /** The text as it was before a library wrote it. */
    private static final String JSON = """
            {
              "mode": "quick",
              "complete": true,
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
                "arithmeticNanos": 1.500000,
                "chaseNanos": 41.000000,
                "spread": 0.020000
              },
              "rows": [
                {
                  "operation": "MAP, one a doorbell",
                  "geometry": "mmio",
                  "benchmark": "org.virtio4j.benchmarks.jmh.RequestBenchmark.map",
                  "medianNanos": 200.000000,
                  "minNanos": 190.000000,
                  "maxNanos": 210.000000,
                  "bytesPerOperation": 0.500000
                },
                {
                  "operation": "doorbell decode",
                  "geometry": "mmio, idle",
                  "benchmark": "org.virtio4j.benchmarks.jmh.DoorbellBenchmark.decode",
                  "medianNanos": 3.250000,
                  "minNanos": 3.000000,
                  "maxNanos": 4.000000,
                  "bytesPerOperation": null,
                  "baseline": "MAP, one a doorbell, mmio",
                  "ratio": 0.025000
                }
              ],
              "jmh": []
            }
            """;

    @Test
    void shouldCompareTheDecodeWithOneMap() {
        Report report = report(STEADY, new RowResult(MAP, 200, 190, 210, 0, Double.NaN, false, null),
                new RowResult(DECODE, 5, 4, 6, 0, 0.025, false, null));
        assertTrue(report.conclusions().contains("doorbell decode / one MAP, mmio: 2.5 %"),
                report.conclusions().toString());
    }

    @Test
    void shouldSaySoWhenTheDecodeTakesTooLong() {
        Report report = report(STEADY, new RowResult(DECODE, 50, 50, 50, 0, 0.25, false, null));
        assertTrue(report.conclusions().contains(
                "doorbell decode / one MAP, mmio: 25.0 %, which is more than the 10 % it may be"),
                report.conclusions().toString());
    }

    @Test
    void shouldNameTheRowsThatAllocate() {
        Report clean = report(STEADY, new RowResult(MAP, 200, 190, 210, 0.02, Double.NaN, false, null));
        assertEquals("rows that allocate: none", clean.conclusions().getLast());
        Report dirty = report(STEADY, new RowResult(MAP, 200, 190, 210, 16, Double.NaN, true, null));
        assertEquals("rows that allocate: MAP, one a doorbell, mmio", dirty.conclusions().getLast());
    }

    @Test
    void shouldCallTheMachineBusyWhenTheControlMoved() {
        assertTrue(report(STEADY).conclusions().getFirst().endsWith("moved by 0 %: a quiet machine"));
        assertTrue(report(new ControlLoops(1.2, 40, 0.01)).conclusions().getFirst()
                .endsWith("moved by 20 %: a busy machine, so measure again"));
    }

    @Test
    void shouldPrintTheSameCellsForMarkdown() {
        RowResult result = new RowResult(DECODE, 3.456, 3, 12.34, 0, 0.0123, false, null);
        assertEquals("""
                | operation | geometry | ns | min - max | B/op | compared |
                |---|---|--:|--:|--:|---|
                | doorbell decode | mmio, idle | 3.46 | 3.00 - 12.3 | 0.00 | 1.2 % of MAP, one a doorbell |
                """, ResultTable.markdown(List.of(result)));
        assertEquals("doorbell decode  mmio, idle       3.46        3.00 - 12.3    0.00  1.2 % of MAP, one a doorbell",
                new ResultTable(List.of(DECODE)).line(result));
    }

    @Test
    void shouldWriteJsonWithWhatIsNotKnownAsNull() {
        String json = report(STEADY, new RowResult(DECODE, 3, 3, 3, Double.NaN, Double.NaN, false, null)).json();
        assertTrue(json.contains("\"bytesPerOperation\": null"), json);
        assertTrue(json.contains("\"ratio\": null"), json);
        assertTrue(json.contains("\"jmh\": ["), json);
    }

    @Test
    void shouldKeepTheOrderAndTheFormOfNumbers() {
        RowResult map = new RowResult(MAP, 200, 190, 210, 0.5, Double.NaN, false, null);
        RowResult decode = new RowResult(DECODE, 3.25, 3, 4, Double.NaN, 0.025, false, null);
        assertEquals(JSON, new Report(HOST, RunMode.QUICK, true, List.of(map, decode), STEADY,
                new ControlLoops(1.5, 41, 0.02)).json());
    }

    private static Report report(ControlLoops after, RowResult... results) {
        return new Report(Host.present(), RunMode.QUICK, true, List.of(results), STEADY, after);
    }
}
