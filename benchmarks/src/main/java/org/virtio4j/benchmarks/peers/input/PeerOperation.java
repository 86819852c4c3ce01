// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.peers.input;

import java.util.List;
import org.virtio4j.benchmarks.peers.result.PeerRow;

/** What tables and devices are compared in. */
public enum PeerOperation {
    LOOKUP("lookup", "lookup"),
    PAIR("pair", "remove and insert"),
    WALK("walk", "walk in order"),
    /** Last, because the tables are never again what they were before. */
    UNMAP_ALL("unmapAll", "UNMAP of everything"),
    /** A request, through ring, device and table. */
    MAP("map", "MAP, 64 a doorbell"),
    UNMAP("unmap", "UNMAP, 64 a doorbell"),
    /** A step of it: a MAP, an UNMAP or a translation. */
    REPLAY("replay", "replay of a trace"),
    /** Off the heap, by one mapping; of our table alone. */
    MEMORY("bytes", "off-heap memory") {
        @Override
        public String unit() {
            return PeerRow.BYTES;
        }
    };

    static final List<PeerOperation> OF_MAPPINGS = List.of(LOOKUP, PAIR, WALK, UNMAP_ALL);
    static final List<PeerOperation> OF_REQUESTS = List.of(MAP, UNMAP);
    static final List<PeerOperation> OF_STEPS = List.of(REPLAY);

    private final String command;
    private final String text;

    PeerOperation(String command, String text) {
        this.command = command;
        this.text = text;
    }

    /** As programs are asked for it. */
    public String command() {
        return command;
    }

    public String unit() {
        return PeerRow.NANOS;
    }

    public String text() {
        return text;
    }
}
