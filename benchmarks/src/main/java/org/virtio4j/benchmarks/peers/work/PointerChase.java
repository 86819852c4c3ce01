// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.peers.work;

import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import org.virtio4j.benchmarks.fixture.Shuffle;
import org.virtio4j.vmm.HostMemory;
import org.virtio4j.vmm.LittleEndian;

/**
 * Loads that each wait for the one before, in memory as large as the table's and allocated in the same way. A search
 * that has to leave the caches once cannot be faster than one of these loads.
 */
final class PointerChase {

    private static final long LINE = 64;

    /** Held, because memory that is not reachable is freed. */
    private final HostMemory owner;
    private final MemorySegment memory;
    private long at;

    /** One cycle through all cache lines of so many bytes, in shuffled order. */
    PointerChase(long bytes) {
        int lines = (int) Math.max(2, bytes / LINE);
        owner = OurTable.memory(lines * LINE);
        memory = owner.segment();
        int[] order = Shuffle.order(lines);
        for (int i = 0; i < lines; i++) {
            LittleEndian.putI64(memory, order[i] * LINE, order[(i + 1) % lines] * LINE);
        }
    }

    /** Follows so many links. */
    long follow(int steps) {
        try {
            long offset = at;
            for (int i = 0; i < steps; i++) {
                offset = LittleEndian.i64(memory, offset);
            }
            at = offset;
            return offset;
        } finally {
            Reference.reachabilityFence(owner);
        }
    }
}
