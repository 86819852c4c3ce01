// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;

/** Memory with two rings in it whose descriptors are random, but lead into this memory for the most part. */
final class RandomMemory {

    static final long SIZE = 1 << 20;
    static final long QUEUE = 0x4000;
    static final long AVAILABLE = 0x1000;
    static final long USED = 0x2000;

    private static final int ENTRIES = 64;
    private static final ValueLayout.OfShort U16 = ValueLayout.JAVA_SHORT;

    private RandomMemory() {
    }

    static void fill(int memfd, Random random) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = Libc.map(memfd, SIZE, arena);
            for (long at = 0; at < SIZE; at += Long.BYTES) {
                memory.set(ValueLayout.JAVA_LONG, at, random.nextLong());
            }
            for (int queue = 0; queue < 2; queue++) {
                fillRing(memory.asSlice(queue * QUEUE, QUEUE), random);
            }
        }
    }

    private static void fillRing(MemorySegment ring, Random random) {
        for (int i = 0; i < ENTRIES; i++) {
            ring.set(ValueLayout.JAVA_LONG, i * 16L, random.nextInt((int) SIZE + 0x1000));
            ring.set(ValueLayout.JAVA_INT, i * 16L + 8, random.nextInt(256));
            ring.set(U16, i * 16L + 12, (short) random.nextInt(4));
            ring.set(U16, i * 16L + 14, (short) random.nextInt(ENTRIES + 2));
            ring.set(U16, AVAILABLE + 4 + i * 2L, (short) random.nextInt(ENTRIES));
        }
        ring.set(U16, AVAILABLE + 2, (short) random.nextInt(ENTRIES));
    }
}
