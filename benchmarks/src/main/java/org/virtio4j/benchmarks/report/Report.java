// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.report;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
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
import org.virtio4j.command.JsonOutput;

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
        return JsonOutput.text(this::writeTo);
    }

    private void writeTo(JsonGenerator json) throws IOException {
        json.writeStartObject();
        json.writeStringField("mode", mode.name().toLowerCase(Locale.ROOT));
        json.writeBooleanField("complete", complete);
        host.writeTo(json);
        before.writeTo(json, "controlBefore");
        after.writeTo(json, "controlAfter");
        json.writeArrayFieldStart("rows");
        for (RowResult result : results) {
            row(json, result);
        }
        json.writeEndArray();
        json.writeFieldName("jmh");
        JsonOutput.copy(json, jmh(results));
        json.writeEndObject();
    }

    private static boolean isDecode(RowResult result) {
        return result.row().benchmark().equals(DoorbellBenchmark.class.getName() + ".decode");
    }

    private static String transport(BenchmarkRow row) {
        return String.valueOf(row.params().get("transport")).toLowerCase(Locale.ROOT);
    }

    private static void row(JsonGenerator json, RowResult result) throws IOException {
        json.writeStartObject();
        json.writeStringField("operation", result.row().name());
        json.writeStringField("geometry", result.row().geometry());
        json.writeStringField("benchmark", result.row().benchmark());
        JsonOutput.decimals(json, "medianNanos", result.median());
        JsonOutput.decimals(json, "minNanos", result.least());
        JsonOutput.decimals(json, "maxNanos", result.most());
        number(json, "bytesPerOperation", result.bytes());
        @Nullable BenchmarkRow baseline = result.row().baseline();
        if (baseline != null) {
            json.writeStringField("baseline", baseline.title());
            number(json, "ratio", result.ratio());
        }
        json.writeEndObject();
    }

    private static void number(JsonGenerator json, String name, double value) throws IOException {
        if (Double.isNaN(value)) {
            json.writeNullField(name);
        } else {
            JsonOutput.decimals(json, name, value);
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
