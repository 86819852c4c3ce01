// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.virtio4j.benchmarks.host.ControlLoops;
import org.virtio4j.benchmarks.host.Host;
import org.virtio4j.benchmarks.peers.input.PeerOperation;
import org.virtio4j.benchmarks.peers.result.MedianAndRange;
import org.virtio4j.benchmarks.peers.result.PeerColumn;
import org.virtio4j.benchmarks.peers.result.PeerRow;
import org.virtio4j.benchmarks.peers.result.PeerText;

class PeerReportTest {

    private static final ControlLoops STEADY = new ControlLoops(1, 40, 0.01);

    @Test
    void shouldTakeTheMedianOfAllRounds() {
        assertEquals(new MedianAndRange(2, 1, 9), MedianAndRange.of(List.of(9.0, 1.0, 2.0)));
    }

    @Test
    void shouldPrintRatiosAndLeaveEmptyWhatWasNotMeasured() {
        assertEquals("""
                | operation | geometry | unit | virtio4j | Rust BTreeMap | GLib GTree | Java TreeMap | C loop \
                | one miss | Rust / ours | GTree / ours | TreeMap / ours | C loop / ours | ours / miss |
                |---|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|
                | lookup | 1 k mappings | ns | 50.0 | 100 |  | 150 |  | 25.0 | 2.00 |  | 3.00 |  | 2.00 |
                """, PeerText.markdown(rows()));
    }

    @Test
    void shouldAlignTheTableOfATerminal() {
        String head = PeerText.head();
        String line = PeerText.line(rows().getFirst());
        assertEquals(head.length(), line.length());
        assertEquals(head.indexOf("virtio4j") + "virtio4j".length(), line.indexOf("50.0") + "50.0".length());
    }

    @Test
    void shouldWriteColumnsThatWereMeasuredAsJson() {
        String json = new PeerReport(Host.present(), PeerMode.QUICK, true, List.of("GLib GTree: not measured"), rows(),
                STEADY, STEADY).json();
        assertTrue(json.contains("\"Rust BTreeMap\": {"), json);
        assertTrue(json.contains("\"misses\": 2.000000"), json);
        assertTrue(json.contains("\"unit\": \"ns\""), json);
        assertFalse(json.contains("\"GLib GTree\": {"), json);
    }

    private static List<PeerRow> rows() {
        Samples samples = new Samples();
        samples.add(PeerOperation.LOOKUP, PeerColumn.VIRTIO4J, 50);
        samples.add(PeerOperation.LOOKUP, PeerColumn.RUST, 100);
        samples.add(PeerOperation.LOOKUP, PeerColumn.TREE_MAP, 150);
        samples.add(PeerOperation.LOOKUP, PeerColumn.MISS, 25);
        return samples.rows("1 k mappings");
    }
}
