// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.peers;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.virtio4j.benchmarks.host.ControlLoops;
import org.virtio4j.benchmarks.host.Host;
import org.virtio4j.benchmarks.peers.result.MedianAndRange;
import org.virtio4j.benchmarks.peers.result.PeerColumn;
import org.virtio4j.benchmarks.peers.result.PeerRow;
import org.virtio4j.benchmarks.peers.result.PeerText;
import org.virtio4j.command.JsonOutput;

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
        return JsonOutput.text(this::writeTo);
    }

    private void writeTo(JsonGenerator json) throws IOException {
        json.writeStartObject();
        json.writeStringField("mode", mode.name().toLowerCase(Locale.ROOT));
        json.writeBooleanField("complete", complete);
        host.writeTo(json);
        before.writeTo(json, "controlBefore");
        after.writeTo(json, "controlAfter");
        json.writeArrayFieldStart("built");
        for (String line : built) {
            json.writeString(line);
        }
        json.writeEndArray();
        json.writeArrayFieldStart("rows");
        for (PeerRow row : rows) {
            row(json, row);
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    private static void row(JsonGenerator json, PeerRow row) throws IOException {
        json.writeStartObject();
        json.writeStringField("operation", row.name());
        json.writeStringField("geometry", row.geometry());
        json.writeStringField("unit", row.unit());
        json.writeObjectFieldStart("columns");
        for (Map.Entry<PeerColumn, MedianAndRange> column : row.figures().entrySet()) {
            figure(json, column.getKey().title(), column.getValue());
        }
        json.writeEndObject();
        json.writeObjectFieldStart("byOurs");
        for (PeerColumn peer : PeerColumn.PEERS) {
            known(json, peer.title(), row.ratio(peer));
        }
        json.writeEndObject();
        known(json, "misses", row.misses());
        json.writeEndObject();
    }

    private static void figure(JsonGenerator json, String name, MedianAndRange figure) throws IOException {
        json.writeObjectFieldStart(name);
        JsonOutput.decimals(json, "median", figure.median());
        JsonOutput.decimals(json, "min", figure.least());
        JsonOutput.decimals(json, "max", figure.most());
        json.writeEndObject();
    }

    /** A member, if there is something to say. */
    private static void known(JsonGenerator json, String name, double number) throws IOException {
        if (!Double.isNaN(number)) {
            JsonOutput.decimals(json, name, number);
        }
    }
}
