// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.peers;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.virtio4j.benchmarks.peers.input.PeerOperation;
import org.virtio4j.benchmarks.peers.result.MedianAndRange;
import org.virtio4j.benchmarks.peers.result.PeerColumn;
import org.virtio4j.benchmarks.peers.result.PeerRow;

/** What all rounds of all sittings gave for one set. */
final class Samples {

    private final Map<PeerOperation, Map<PeerColumn, List<Double>>> samples = new EnumMap<>(PeerOperation.class);

    void add(PeerOperation operation, PeerColumn column, double sample) {
        samples.computeIfAbsent(operation, first -> new EnumMap<>(PeerColumn.class))
                .computeIfAbsent(column, first -> new ArrayList<>()).add(sample);
    }

    /** One row for each operation that was measured. */
    List<PeerRow> rows(String geometry) {
        List<PeerRow> rows = new ArrayList<>();
        samples.forEach((operation, columns) -> {
            Map<PeerColumn, MedianAndRange> figures = new EnumMap<>(PeerColumn.class);
            columns.forEach((column, all) -> figures.put(column, MedianAndRange.of(all)));
            rows.add(new PeerRow(operation.text(), geometry, operation.unit(), figures));
        });
        return rows;
    }
}
