// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.peers.result;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.virtio4j.benchmarks.host.Quantity;

/**
 * The comparison as a picture: a panel for each kind of work, in it a group of bars for each geometry, a bar for each
 * column. The scale is logarithmic, from 1 ns to the power of ten above the largest figure, the same in all panels.
 */
public final class PeerChart {

    private static final int WIDTH = 1160;
    private static final int LEFT = 60;
    private static final int RIGHT = WIDTH - 10;
    private static final int LEGEND = 40;
    private static final int PANEL = 210;
    private static final int PLOT = 140;
    private static final int PLOT_TOP = 30;
    /** So many beside each other, that their names do not touch; the full run has five geometries. */
    private static final int GROUPS = 5;
    private static final int WIDEST_BAR = 46;
    private static final int GAP = 16;

    private final StringBuilder svg = new StringBuilder();
    private final int decades;

    private PeerChart(int decades) {
        this.decades = decades;
    }

    /** Draws the rows that are times. */
    public static String svg(List<PeerRow> rows) {
        List<List<PeerRow>> panels = panels(rows);
        PeerChart chart = new PeerChart(decades(rows));
        chart.open(LEGEND + panels.size() * PANEL);
        chart.legend();
        int top = LEGEND;
        for (List<PeerRow> panel : panels) {
            chart.panel(panel, top);
            top += PANEL;
        }
        return chart.svg.append("</svg>\n").toString();
    }

    /** Rows of one kind of work together, in as many panels as they need. */
    static List<List<PeerRow>> panels(List<PeerRow> rows) {
        Map<String, List<PeerRow>> kinds = rows.stream().filter(row -> row.unit().equals(PeerRow.NANOS))
                .collect(Collectors.groupingBy(PeerRow::name, LinkedHashMap::new, Collectors.toList()));
        List<List<PeerRow>> panels = new ArrayList<>();
        for (List<PeerRow> kind : kinds.values()) {
            for (int i = 0; i < kind.size(); i += GROUPS) {
                panels.add(kind.subList(i, Math.min(kind.size(), i + GROUPS)));
            }
        }
        return panels;
    }

    /** Powers of ten on the scale. */
    static int decades(List<PeerRow> rows) {
        double most = rows.stream().filter(row -> row.unit().equals(PeerRow.NANOS))
                .flatMap(row -> row.figures().values().stream()).mapToDouble(MedianAndRange::median).max().orElse(1);
        return Math.max(1, (int) Math.ceil(Math.log10(most)));
    }

    /** How high a bar is, of the scale's height; a nanosecond and less has none. */
    static double height(double nanos, int decades) {
        return Math.clamp(Math.log10(nanos) / decades, 0, 1);
    }

    static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\"", "&quot;");
    }

    private void open(int height) {
        svg.append("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 ").append(WIDTH).append(' ').append(height)
                .append("\" font-family=\"sans-serif\" font-size=\"11\">\n");
        box(0, 0, WIDTH, height, "#ffffff");
    }

    private void legend() {
        int x = LEFT;
        for (PeerColumn column : PeerColumn.values()) {
            box(x, 14, 12, 12, column.colour());
            text(x + 18, 24, "start", column.title());
            x += 150;
        }
        text(RIGHT, 24, "end", "ns an operation");
    }

    private void panel(List<PeerRow> rows, int top) {
        text(LEFT, top + 16, "start", rows.getFirst().name());
        int base = top + PLOT_TOP + PLOT;
        long label = 1;
        for (int decade = 0; decade <= decades; decade++) {
            int y = base - decade * PLOT / decades;
            box(LEFT, y, RIGHT - LEFT, 1, "#dddddd");
            text(LEFT - 6, y + 4, "end", Long.toString(label));
            label *= 10;
        }
        int width = (RIGHT - LEFT) / GROUPS;
        for (int i = 0; i < rows.size(); i++) {
            group(rows.get(i), LEFT + i * width, width, base);
        }
    }

    private void group(PeerRow row, int left, int width, int base) {
        int count = row.figures().size();
        int bar = Math.min(WIDEST_BAR, (width - GAP) / count);
        int x = left + (width - count * bar) / 2;
        for (Map.Entry<PeerColumn, MedianAndRange> figure : row.figures().entrySet()) {
            double nanos = figure.getValue().median();
            int height = Math.max(1, (int) Math.round(PLOT * height(nanos, decades)));
            box(x + 1, base - height, bar - 2, height, figure.getKey().colour());
            text(x + bar / 2, base - height - 3, "middle", Quantity.nanos(nanos));
            x += bar;
        }
        text(left + width / 2, base + 16, "middle", row.geometry());
    }

    private void box(int x, int y, int width, int height, String colour) {
        svg.append("<rect x=\"").append(x).append("\" y=\"").append(y).append("\" width=\"").append(width)
                .append("\" height=\"").append(height).append("\" fill=\"").append(colour).append("\"/>\n");
    }

    private void text(int x, int y, String anchor, String text) {
        svg.append("<text x=\"").append(x).append("\" y=\"").append(y).append("\" text-anchor=\"").append(anchor)
                .append("\">").append(escaped(text)).append("</text>\n");
    }
}
