// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.virtio4j.device.ServedChain;
import org.virtio4j.dma.DmaResult;

/**
 * Brings a driver's bytes to the terminal, piece by piece, and waits while the terminal takes none. For the thread that
 * serves the queue, apart from {@link #wake} and {@link #end}.
 */
final class ConsoleOutput {

    private static final int PIECE = 1 << 14;

    private final ConsoleTerminal terminal;
    private final ConsoleCounters counters;
    private final ByteBuffer piece = ByteBuffer.allocateDirect(PIECE);
    private final MemorySegment bytes = MemorySegment.ofBuffer(piece);

    /** How many bytes of the chain at work the terminal has; goes on where the same chain is served again. */
    private long done;

    private final AtomicBoolean called = new AtomicBoolean();
    private volatile @Nullable Thread waiting;
    private volatile boolean ended;

    ConsoleOutput(ConsoleTerminal terminal, ConsoleCounters counters) {
        this.terminal = terminal;
        this.counters = counters;
    }

    void write(ServedChain chain) {
        if (!chain.isRepeated()) {
            done = 0;
        }
        long length = chain.readableLength();
        DmaResult result = DmaResult.OK;
        while (done < length && isWanted(chain) && result == DmaResult.OK) {
            int next = (int) Math.min(PIECE, length - done);
            result = chain.read(done, bytes, 0, next);
            if (result == DmaResult.OK) {
                deliver(chain, next);
            }
        }
        counters.outputEnded(result);
    }

    /** Wakes a thread that waits: the terminal takes bytes now, or nobody wants them any more. */
    void wake() {
        called.set(true);
        Thread sleeper = waiting;
        if (sleeper != null) {
            LockSupport.unpark(sleeper);
        }
    }

    /** Lets nobody wait for the terminal any more. */
    void end() {
        ended = true;
        wake();
    }

    private void deliver(ServedChain chain, int length) {
        piece.clear().limit(length);
        while (piece.hasRemaining() && isWanted(chain)) {
            int before = piece.position();
            offer();
            int took = piece.position() - before;
            done += took;
            counters.output(took);
            if (took == 0) {
                awaitCall();
            }
        }
    }

    private void offer() {
        try {
            terminal.write(piece);
        } catch (IOException broken) {
            throw new UncheckedIOException(broken);
        }
    }

    private void awaitCall() {
        waiting = Thread.currentThread();
        while (!called.getAndSet(false)) {
            LockSupport.park(this);
        }
        waiting = null;
    }

    private boolean isWanted(ServedChain chain) {
        return !ended && chain.isWanted();
    }
}
