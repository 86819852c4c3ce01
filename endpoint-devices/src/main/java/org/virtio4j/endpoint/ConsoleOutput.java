// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import org.virtio4j.device.ServedChain;
import org.virtio4j.dma.DmaResult;

/** Brings a driver's bytes to the terminal, piece by piece, as fast as it takes them. For the thread that serves. */
final class ConsoleOutput {

    private static final int PIECE = 1 << 14;

    private final ConsoleTerminal terminal;
    private final ConsoleCounters counters;

    /** What was read of the chain at work and the terminal has not taken yet. */
    private final ByteBuffer piece = ByteBuffer.allocateDirect(PIECE);
    private final MemorySegment bytes = MemorySegment.ofBuffer(piece);

    /** How many bytes of the chain at work were read; goes on where the same chain is served again. */
    private long read;

    ConsoleOutput(ConsoleTerminal terminal, ConsoleCounters counters) {
        this.terminal = terminal;
        this.counters = counters;
    }

    void write(ServedChain chain) {
        if (!chain.isRepeated()) {
            read = 0;
            piece.limit(0);
        }
        DmaResult result = DmaResult.OK;
        while (result == DmaResult.OK && chain.isWanted()) {
            if (!offer()) {
                chain.postpone();
                return;
            }
            if (read == chain.readableLength()) {
                break;
            }
            result = readPiece(chain);
        }
        counters.outputEnded(result);
    }

    private DmaResult readPiece(ServedChain chain) {
        int length = (int) Math.min(PIECE, chain.readableLength() - read);
        DmaResult result = chain.read(read, bytes, 0, length);
        if (result == DmaResult.OK) {
            read += length;
            piece.clear().limit(length);
        }
        return result;
    }

    /** Offers the piece until the terminal has all of it; false if it takes no more. */
    private boolean offer() {
        while (piece.hasRemaining()) {
            int before = piece.position();
            write();
            int took = piece.position() - before;
            if (took == 0) {
                return false;
            }
            counters.output(took);
        }
        return true;
    }

    private void write() {
        try {
            terminal.write(piece);
        } catch (IOException broken) {
            throw new UncheckedIOException(broken);
        }
    }
}
