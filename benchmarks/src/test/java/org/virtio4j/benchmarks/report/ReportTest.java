// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
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

    private static Report report(ControlLoops after, RowResult... results) {
        return new Report(Host.present(), RunMode.QUICK, true, List.of(results), STEADY, after);
    }
}
