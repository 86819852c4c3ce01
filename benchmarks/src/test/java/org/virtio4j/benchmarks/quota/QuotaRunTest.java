// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.quota;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

/** What a guest gets that asks for six times its quota, and what of it stays. Nothing is said about time. */
class QuotaRunTest {

    private static final int LIMIT = 64 * 500;
    private static final int ROUNDS = 3;
    /** Heap that something else may take meanwhile. */
    private static final long OTHERS = 1 << 20;

    @Test
    void shouldRefuseWhatIsBeyondTheQuotaAndFreeTheTables() throws Exception {
        try (QuotaRun run = new QuotaRun(LIMIT, 1_000)) {
            for (int i = 0; i < ROUNDS; i++) {
                check(run.round().memory());
            }
        }
    }

    private static void check(List<MemorySample> memory) {
        MemorySample start = memory.getFirst();
        MemorySample full = memory.get(1);
        MemorySample end = memory.getLast();
        assertEquals(0, start.mappings());
        for (int quota = 1; quota <= 6; quota++) {
            assertEquals(LIMIT, memory.get(quota).mappings());
            assertEquals((quota - 1L) * LIMIT, memory.get(quota).refused());
            assertEquals(full.tables(), memory.get(quota).tables());
            assertTrue(memory.get(quota).heap() < full.heap() + OTHERS, () -> memory + "");
        }
        assertEquals(0, end.mappings());
        assertEquals(5L * LIMIT, end.refused());
        assertEquals(start.tables(), end.tables());
    }

    @Test
    void shouldAllocateNothingForARefusedRequest() {
        try (GreedyGuest guest = new GreedyGuest(LIMIT)) {
            guest.fill(0);
            long least = Long.MAX_VALUE;
            for (int quota = 1; quota <= 10 && least != 0; quota++) {
                guest.fill(quota);
                least = Math.min(least, guest.allocated());
            }
            assertEquals(0, least);
        }
    }
}
