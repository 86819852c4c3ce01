// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.concurrent.locks.ReentrantLock;
import org.virtio4j.device.ServedChain;
import org.virtio4j.dma.DmaResult;

/** Bytes on their way to the driver: put in by any thread, taken out by the one that serves the queue. */
final class ConsoleInput {

    private static final int CAPACITY = 1 << 16;

    private final ByteBuffer ring = ByteBuffer.allocateDirect(CAPACITY);
    private final MemorySegment bytes = MemorySegment.ofBuffer(ring);
    private final ReentrantLock putting = new ReentrantLock();

    /** How many bytes were put in and taken out since the beginning. */
    private volatile long put;
    private volatile long taken;

    /** Whether somebody waits for room. */
    private volatile boolean missed;

    boolean isEmpty() {
        return put == taken;
    }

    /** Takes as many bytes as there is room for; says how many. */
    int put(ByteBuffer from) {
        int before = from.remaining();
        putting.lock();
        try {
            copy(from);
            if (from.hasRemaining()) {
                // Said before the second look: bytes that are taken after it find that somebody waits.
                missed = true;
                copy(from);
            }
        } finally {
            putting.unlock();
        }
        return before - from.remaining();
    }

    /** Moves bytes into a buffer of the driver, as many as fit and lie in one piece here. */
    void take(ServedChain chain, ConsoleCounters counters) {
        long at = taken;
        int index = (int) at & CAPACITY - 1;
        long length = Math.min(chain.writableLength(), Math.min(put - at, CAPACITY - index));
        DmaResult result = chain.write(0, bytes, index, length);
        if (result == DmaResult.OK) {
            taken = at + length;
        }
        counters.input(result, length);
    }

    /** Whether somebody waits for room and there is some; true once. */
    boolean wasMissed() {
        if (!missed) {
            return false;
        }
        // Before the look at the room: a call that leaves something after it says so again.
        missed = false;
        if (put - taken == CAPACITY) {
            missed = true;
            return false;
        }
        return true;
    }

    private void copy(ByteBuffer from) {
        long at = put;
        int length = (int) Math.min(from.remaining(), CAPACITY - (at - taken));
        int index = (int) at & CAPACITY - 1;
        int first = Math.min(length, CAPACITY - index);
        ring.put(index, from, from.position(), first);
        ring.put(0, from, from.position() + first, length - first);
        from.position(from.position() + length);
        put = at + length;
    }
}
