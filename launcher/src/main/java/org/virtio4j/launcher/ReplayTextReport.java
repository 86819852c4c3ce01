// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.virtio4j.replay.result.Mismatch;
import org.virtio4j.replay.result.TraceResult;
import org.virtio4j.trace.EventKind;

/** The results of a replay for people: a block of lines for each trace, with a column for each transport. */
final class ReplayTextReport {

    private final List<TraceResult> columns;
    private final StringBuilder text = new StringBuilder();

    private ReplayTextReport(List<TraceResult> columns) {
        this.columns = columns;
    }

    /** Some lines, each with its end. The columns are results of one trace, at least one. */
    static String of(List<TraceResult> columns) {
        ReplayTextReport report = new ReplayTextReport(columns);
        report.title();
        report.row("transport", ReplayTextReport::transport);
        report.wideRow("requests", ReplayTextReport::requests);
        report.row("kicks", result -> number(result.kicks()));
        report.row("requests per second", result -> number(Math.round(result.requestsPerSecond())));
        report.row("translations checked", result -> number(result.translations()));
        report.row("peak live mappings", result -> number(result.peakMappings()));
        report.row("heap bytes per request", ReplayTextReport::heap);
        report.row("mismatches", result -> number(result.mismatches()));
        report.mismatches(ReplayTextReport::mismatches);
        report.mismatches(ReplayTextReport::unshown);
        return report.text.toString();
    }

    private void title() {
        text.append(columns.getFirst().name());
        List<String> cut = columns.stream()
                .filter(result -> !result.complete())
                .map(ReplayTextReport::transport)
                .toList();
        if (!cut.isEmpty()) {
            text.append(" (not played to its end")
                    .append(cut.size() == columns.size() ? "" : " over " + String.join(", ", cut)).append(')');
        }
        text.append('\n');
    }

    private void row(String what, Function<TraceResult, String> value) {
        String cells = columns.stream().map(value).map(cell -> String.format(Locale.ROOT, "%-20s", cell))
                .collect(Collectors.joining("  "));
        line(what, cells.stripTrailing());
    }

    /** Too wide for a column: told once, if it is the same in each. */
    private void wideRow(String what, Function<TraceResult, String> value) {
        if (columns.stream().map(value).distinct().count() == 1) {
            line(what, value.apply(columns.getFirst()));
        } else {
            columns.forEach(result -> line(what + ", " + transport(result), value.apply(result)));
        }
    }

    private void line(String what, String value) {
        text.append(String.format(Locale.ROOT, "  %-24s%s\n", what, value));
    }

    /** What came over each transport alike is told once, the rest with the transport in front. */
    private void mismatches(Function<TraceResult, List<String>> lines) {
        Map<String, List<String>> transports = new LinkedHashMap<>();
        for (TraceResult result : columns) {
            for (String line : lines.apply(result)) {
                transports.computeIfAbsent(line, any -> new ArrayList<>()).add(transport(result));
            }
        }
        transports.forEach((line, over) -> text.append("    ")
                .append(over.size() == columns.size() ? "" : String.join(", ", over) + ": ").append(line)
                .append('\n'));
    }

    private static List<String> mismatches(TraceResult result) {
        return result.firstMismatches().stream().map(Mismatch::toString).toList();
    }

    private static List<String> unshown(TraceResult result) {
        long count = result.mismatches() - result.firstMismatches().size();
        return count == 0 ? List.of() : List.of("... and " + number(count) + " more");
    }

    private static String transport(TraceResult result) {
        return String.valueOf(result.transport());
    }

    private static String requests(TraceResult result) {
        return String.format(Locale.ROOT, "%,d (MAP %,d, UNMAP %,d, ATTACH %,d, DETACH %,d, PROBE %,d, raw %,d)",
                result.requestCount(), result.count(EventKind.MAP), result.count(EventKind.UNMAP),
                result.count(EventKind.ATTACH), result.count(EventKind.DETACH), result.count(EventKind.PROBE),
                result.count(EventKind.RAW));
    }

    private static String heap(TraceResult result) {
        return result.heapBytes() < 0
                ? "unknown to this JVM"
                : String.format(Locale.ROOT, "%.3f (%,d in all)", result.heapBytesPerRequest(), result.heapBytes());
    }

    private static String number(long value) {
        return String.format(Locale.ROOT, "%,d", value);
    }
}
