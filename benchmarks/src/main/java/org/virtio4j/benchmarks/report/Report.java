// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.report;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.results.format.ResultFormatFactory;
import org.openjdk.jmh.results.format.ResultFormatType;
import org.virtio4j.benchmarks.host.ControlLoops;
import org.virtio4j.benchmarks.host.Host;
import org.virtio4j.benchmarks.host.Quantity;
import org.virtio4j.benchmarks.jmh.DoorbellBenchmark;
import org.virtio4j.benchmarks.suite.BenchmarkRow;
import org.virtio4j.benchmarks.suite.RunMode;
import org.virtio4j.command.JsonText;

/**
 * All that is known of a run, in the three forms it can be read in.
 *
 * @param host     where it ran
 * @param mode     how long each row was measured
 * @param complete whether all chosen rows were measured
 * @param results  the rows
 * @param before   the control loops at the start
 * @param after    and at the end
 */
public record Report(Host host, RunMode mode, boolean complete, List<RowResult> results, ControlLoops before,
        ControlLoops after) {

    private static final double MOST_DECODE = 0.1;

    /** What stands below the table, one thing a line. */
    public List<String> conclusions() {
        List<String> lines = new ArrayList<>();
        lines.add(before.verdict(after));
        for (RowResult result : results) {
            if (isDecode(result) && result.compared()) {
                lines.add("doorbell decode / one MAP, " + transport(result.row()) + ": "
                        + Quantity.ratio(result.ratio())
                        + (result.ratio() < MOST_DECODE ? "" : ", which is more than the 10 % it may be"));
            }
        }
        String allocating = results.stream().filter(RowResult::allocates).map(result -> result.row().title())
                .collect(Collectors.joining("; "));
        lines.add("rows that allocate: " + (allocating.isEmpty() ? "none" : allocating));
        return lines;
    }

    public String markdown() {
        StringBuilder text = new StringBuilder();
        host.head(mode.text(), before).lines().forEach(line -> text.append("    ").append(line).append('\n'));
        text.append('\n').append(ResultTable.markdown(results)).append('\n');
        conclusions().forEach(line -> text.append("- ").append(line).append('\n'));
        return text.toString();
    }

    public String json() {
        JsonText json = new JsonText().open('{');
        json.key("mode").string(mode.name().toLowerCase(Locale.ROOT));
        json.key("complete").value(complete);
        host.writeTo(json);
        before.writeTo(json.key("controlBefore"));
        after.writeTo(json.key("controlAfter"));
        json.key("rows").open('[');
        results.forEach(result -> row(json.element(), result));
        json.close(']');
        json.key("jmh").raw(jmh(results));
        return json.close('}').toString();
    }

    private static boolean isDecode(RowResult result) {
        return result.row().benchmark().equals(DoorbellBenchmark.class.getName() + ".decode");
    }

    private static String transport(BenchmarkRow row) {
        return String.valueOf(row.params().get("transport")).toLowerCase(Locale.ROOT);
    }

    private static void row(JsonText json, RowResult result) {
        json.open('{');
        json.key("operation").string(result.row().name());
        json.key("geometry").string(result.row().geometry());
        json.key("benchmark").string(result.row().benchmark());
        json.key("medianNanos").value(result.median());
        json.key("minNanos").value(result.least());
        json.key("maxNanos").value(result.most());
        number(json.key("bytesPerOperation"), result.bytes());
        @Nullable BenchmarkRow baseline = result.row().baseline();
        if (baseline != null) {
            json.key("baseline").string(baseline.title());
            number(json.key("ratio"), result.ratio());
        }
        json.close('}');
    }

    private static void number(JsonText json, double value) {
        if (Double.isNaN(value)) {
            json.nothing();
        } else {
            json.value(value);
        }
    }

    /** JMH's own file. */
    private static String jmh(List<RowResult> results) {
        List<RunResult> own = new ArrayList<>();
        for (RowResult result : results) {
            RunResult jmh = result.jmh();
            if (jmh != null) {
                own.add(jmh);
            }
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        ResultFormatFactory.getInstance(ResultFormatType.JSON, new PrintStream(bytes, true, StandardCharsets.UTF_8))
                .writeOut(own);
        return bytes.toString(StandardCharsets.UTF_8);
    }
}
