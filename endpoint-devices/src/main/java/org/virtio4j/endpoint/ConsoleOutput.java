// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import org.virtio4j.device.ServedChain;
import org.virtio4j.dma.DmaResult;

/**
 * Brings a driver's bytes to the terminal, piece by piece. A chain that the terminal has no room for is postponed. For
 * the thread that serves the queue.
 */
final class ConsoleOutput {

    private static final int PIECE = 1 << 14;

    private final ConsoleTerminal terminal;
    private final ConsoleCounters counters;
    private final ByteBuffer piece = ByteBuffer.allocateDirect(PIECE);
    private final MemorySegment bytes = MemorySegment.ofBuffer(piece);

    /** How many bytes of the chain at work the terminal has; goes on where the same chain is served again. */
    private long done;

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
        while (done < length && chain.isWanted() && result == DmaResult.OK) {
            int next = (int) Math.min(PIECE, length - done);
            result = chain.read(done, bytes, 0, next);
            if (result == DmaResult.OK && !deliver(next)) {
                chain.postpone();
                return;
            }
        }
        counters.outputEnded(result);
    }

    /** Offers a piece until the terminal takes nothing; false if something is left. */
    private boolean deliver(int length) {
        piece.clear().limit(length);
        int took;
        do {
            int before = piece.position();
            offer();
            took = piece.position() - before;
            done += took;
            counters.output(took);
        } while (took > 0 && piece.hasRemaining());
        return !piece.hasRemaining();
    }

    private void offer() {
        try {
            terminal.write(piece);
        } catch (IOException broken) {
            throw new UncheckedIOException(broken);
        }
    }
}
