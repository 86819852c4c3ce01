// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.peers.result;

import java.util.List;

/** What stands side by side in a row: of tables and of devices, no row has all of them. */
public enum PeerColumn {
    VIRTIO4J("virtio4j", "ours", "#0b6e4f"),
    RUST("Rust BTreeMap", "Rust", "#c1440e"),
    GTREE("GLib GTree", "GTree", "#3b5b92"),
    TREE_MAP("Java TreeMap", "TreeMap", "#c99700"),
    /** The whole device, not its table alone. */
    LOOP("C loop", "C loop", "#6b4c9a"),
    /** One dependent load over memory of the table's size: no table, but what bounds them all. */
    MISS("one miss", "miss", "#8a8a8a");

    /** Those whose time by ours is a ratio to look at. */
    public static final List<PeerColumn> PEERS = List.of(RUST, GTREE, TREE_MAP, LOOP);

    private final String title;
    private final String shortTitle;
    private final String colour;

    PeerColumn(String title, String shortTitle, String colour) {
        this.title = title;
        this.shortTitle = shortTitle;
        this.colour = colour;
    }

    public String title() {
        return title;
    }

    /** In a ratio. */
    String shortTitle() {
        return shortTitle;
    }

    /** In the chart. */
    String colour() {
        return colour;
    }
}
