// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.peers.input;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.virtio4j.benchmarks.host.Quantity;

/**
 * Keys for all programs, and what they are to do with them.
 *
 * @param geometry   the keys in words
 * @param operations in the order in which they are measured
 * @param keys       makes them, which takes memory for as long as they are used
 */
public record PeerSet(String geometry, List<PeerOperation> operations, Supplier<Keys> keys) {

    private static final int MIXED = 1 << 16;
    private static final int OF_DEVICE = 1000;

    /** Each workload in each of some sizes; mixed sizes in one. */
    public static List<PeerSet> ofMappings(List<Integer> sizes) {
        List<PeerSet> sets = new ArrayList<>();
        sizes.forEach(size -> sets.add(of(KeyLayout.UNIFORM, size)));
        sizes.stream().filter(size -> size == MIXED).forEach(size -> sets.add(of(KeyLayout.MIXED, size)));
        return sets;
    }

    /** So many mappings, made and removed again through the device. */
    public static PeerSet ofRequests() {
        return new PeerSet(Quantity.count(OF_DEVICE) + " mappings, " + KeyLayout.UNIFORM.text(),
                PeerOperation.OF_REQUESTS, () -> KeyLayout.UNIFORM.keys(OF_DEVICE));
    }

    /** Whether it is for devices, rather than for tables alone. */
    public boolean ofDevices() {
        return operations.equals(PeerOperation.OF_REQUESTS);
    }

    private static PeerSet of(KeyLayout workload, int size) {
        return new PeerSet(Quantity.count(size) + " mappings, " + workload.text(), PeerOperation.OF_MAPPINGS,
                () -> workload.keys(size));
    }
}
