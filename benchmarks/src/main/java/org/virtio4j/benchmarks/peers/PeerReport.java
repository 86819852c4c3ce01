// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.peers;

import java.util.List;
import java.util.Locale;
import org.virtio4j.benchmarks.host.ControlLoops;
import org.virtio4j.benchmarks.host.Host;
import org.virtio4j.benchmarks.peers.result.MedianAndRange;
import org.virtio4j.benchmarks.peers.result.PeerColumn;
import org.virtio4j.benchmarks.peers.result.PeerRow;
import org.virtio4j.benchmarks.peers.result.PeerText;
import org.virtio4j.command.JsonText;

/**
 * All that is known of a comparison.
 *
 * @param host     where it ran
 * @param mode     how long everything was measured
 * @param complete whether nobody interrupted
 * @param built    what the programs were built with, or why there is none, one a line
 * @param rows     what was measured
 * @param before   the control loops at the start
 * @param after    and at the end
 */
record PeerReport(Host host, PeerMode mode, boolean complete, List<String> built, List<PeerRow> rows,
        ControlLoops before, ControlLoops after) {

    String markdown() {
        StringBuilder text = new StringBuilder();
        host.head(mode.text(), before).lines().forEach(line -> text.append("    ").append(line).append('\n'));
        built.forEach(line -> text.append("    ").append(line).append('\n'));
        text.append('\n').append(PeerText.markdown(rows));
        return text.append("\n- ").append(before.verdict(after)).append('\n').toString();
    }

    String json() {
        JsonText json = new JsonText().open('{');
        json.key("mode").string(mode.name().toLowerCase(Locale.ROOT));
        json.key("complete").value(complete);
        host.writeTo(json);
        before.writeTo(json.key("controlBefore"));
        after.writeTo(json.key("controlAfter"));
        json.key("built").open('[');
        built.forEach(line -> json.element().string(line));
        json.close(']');
        json.key("rows").open('[');
        rows.forEach(row -> row(json.element(), row));
        json.close(']');
        return json.close('}').toString();
    }

    private static void row(JsonText json, PeerRow row) {
        json.open('{');
        json.key("operation").string(row.name());
        json.key("geometry").string(row.geometry());
        json.key("unit").string(row.unit());
        json.key("columns").open('{');
        row.figures().forEach((column, figure) -> figure(json.key(column.title()), figure));
        json.close('}');
        json.key("byOurs").open('{');
        PeerColumn.PEERS.forEach(peer -> known(json, peer.title(), row.ratio(peer)));
        json.close('}');
        known(json, "misses", row.misses());
        json.close('}');
    }

    private static void figure(JsonText json, MedianAndRange figure) {
        json.open('{');
        json.key("median").value(figure.median());
        json.key("min").value(figure.least());
        json.key("max").value(figure.most());
        json.close('}');
    }

    /** A member, if there is something to say. */
    private static void known(JsonText json, String name, double number) {
        if (!Double.isNaN(number)) {
            json.key(name).value(number);
        }
    }
}
