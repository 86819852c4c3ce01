// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.peers.result;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.virtio4j.benchmarks.host.Quantity;

/**
 * The comparison for a terminal and for Markdown: what it took each, how many times as long the peers took as ours, and
 * how many misses ours is worth. What was not measured stays empty.
 */
public final class PeerText {

    private PeerText() {
    }

    public static String head() {
        return line(headCells());
    }

    public static String line(PeerRow row) {
        return line(cells(row));
    }

    public static String markdown(List<PeerRow> rows) {
        List<String> head = headCells();
        StringBuilder text = new StringBuilder("| " + String.join(" | ", head) + " |\n|---|---|---|"
                + "--:|".repeat(head.size() - 3) + "\n");
        rows.forEach(row -> text.append("| ").append(String.join(" | ", cells(row))).append(" |\n"));
        return text.toString();
    }

    private static List<String> headCells() {
        List<String> cells = new ArrayList<>(List.of("operation", "geometry", "unit"));
        for (PeerColumn column : PeerColumn.values()) {
            cells.add(column.title());
        }
        PeerColumn.PEERS.forEach(peer -> cells.add(peer.shortTitle() + " / ours"));
        cells.add("ours / miss");
        return cells;
    }

    private static List<String> cells(PeerRow row) {
        List<String> cells = new ArrayList<>(List.of(row.name(), row.geometry(), row.unit()));
        for (PeerColumn column : PeerColumn.values()) {
            MedianAndRange figure = row.figures().get(column);
            cells.add(figure == null ? "" : Quantity.nanos(figure.median()));
        }
        PeerColumn.PEERS.forEach(peer -> cells.add(factor(row.ratio(peer))));
        cells.add(factor(row.misses()));
        return cells;
    }

    private static String factor(double ratio) {
        return Double.isNaN(ratio) ? "" : String.format(Locale.ROOT, "%.2f", ratio);
    }

    private static String line(List<String> cells) {
        StringBuilder text = new StringBuilder(String.format(Locale.ROOT, "%-19s  %-36s  %-4s", cells.get(0),
                cells.get(1), cells.get(2)));
        List<String> head = headCells();
        for (int i = 3; i < cells.size(); i++) {
            text.append(String.format(Locale.ROOT, "  %" + Math.max(6, head.get(i).length()) + "s", cells.get(i)));
        }
        return text.toString().stripTrailing();
    }
}
