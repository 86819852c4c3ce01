// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.report;

import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.virtio4j.benchmarks.host.Quantity;
import org.virtio4j.benchmarks.suite.BenchmarkRow;

/** The table of results, for a terminal and for Markdown. Its widths are known before there is a result. */
public final class ResultTable {

    private static final List<String> HEAD = List.of("operation", "geometry", "ns", "min - max", "B/op", "compared");

    private final int nameWidth;
    private final int geometryWidth;

    public ResultTable(List<BenchmarkRow> rows) {
        nameWidth = width(rows.stream().map(BenchmarkRow::name).toList(), HEAD.get(0));
        geometryWidth = width(rows.stream().map(BenchmarkRow::geometry).toList(), HEAD.get(1));
    }

    public String head() {
        return line(HEAD);
    }

    public String line(RowResult result) {
        return line(cells(result));
    }

    static String markdown(List<RowResult> results) {
        StringBuilder text = new StringBuilder("| " + String.join(" | ", HEAD) + " |\n|---|---|--:|--:|--:|---|\n");
        for (RowResult result : results) {
            text.append("| ").append(String.join(" | ", cells(result))).append(" |\n");
        }
        return text.toString();
    }

    private static List<String> cells(RowResult result) {
        @Nullable BenchmarkRow baseline = result.row().baseline();
        String compared = baseline == null || !result.compared() ? ""
                : Quantity.ratio(result.ratio()) + " of " + difference(result.row(), baseline);
        return List.of(result.row().name(), result.row().geometry(), Quantity.nanos(result.median()),
                Quantity.nanos(result.least()) + " - " + Quantity.nanos(result.most()),
                Double.isNaN(result.bytes()) ? "?" : String.format(Locale.ROOT, "%.2f", result.bytes()), compared);
    }

    /** The baseline by what it does not share with its row. */
    private static String difference(BenchmarkRow row, BenchmarkRow baseline) {
        return baseline.name().equals(row.name()) ? baseline.geometry().split(",", 2)[0] : baseline.name();
    }

    private String line(List<String> cells) {
        String format = "%-" + nameWidth + "s  %-" + geometryWidth + "s  %9s  %17s  %6s  %s";
        return String.format(Locale.ROOT, format, cells.toArray()).stripTrailing();
    }

    private static int width(List<String> texts, String head) {
        return texts.stream().mapToInt(String::length).reduce(head.length(), Math::max);
    }
}
