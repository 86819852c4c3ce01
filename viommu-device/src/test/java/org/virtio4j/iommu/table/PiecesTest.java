// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.table;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.virtio4j.os.memory.NativeMemory;
import org.virtio4j.vmm.HostMemory;

/** Which pieces of a pool go back, and that no other byte is lost. */
final class PiecesTest {

    private static final long SIZE = 10 * Pieces.SIZE;
    /** Some nodes lie in two pieces. */
    private static final long NODE = 1_472;
    private static final byte MARK = 0x5a;

    private final HostMemory host = HostMemory.anonymous(SIZE);
    private final NodeMemory memory = new NodeMemory(host.segment(), host);
    private final Pieces pieces = new Pieces(memory, memory.base() + NODE, memory.base() + SIZE - NODE, NODE);
    private final long nodes = SIZE / NODE - 2;

    private long node(long index) {
        return memory.base() + NODE + index * NODE;
    }

    /** The node that lies at the end of a piece and at the beginning of the next. */
    private static long over(long piece) {
        return (piece + 1) * Pieces.SIZE / NODE - 1;
    }

    private void useAllAndFreeAllBut(long... held) {
        host.segment().fill(MARK);
        for (long i = 0; i < nodes; i++) {
            pieces.use(node(i));
        }
        for (long i = 0; i < nodes; i++) {
            long index = i;
            if (Arrays.stream(held).noneMatch(one -> one == index)) {
                pieces.free(node(i));
            }
        }
    }

    @Test
    void shouldGiveBackAllPiecesButThoseItShares() {
        useAllAndFreeAllBut();
        assertEquals(8 * Pieces.SIZE, pieces.freeBytes());
        pieces.giveBack(node(nodes));
        assertEquals(0, pieces.freeBytes());
        assertEquals(8 * Pieces.SIZE, pieces.givenBackBytes());
        assertGone("X........X");
        assertEquals(memory.base() + Pieces.SIZE, pieces.endOfUsed(node(nodes - 60)));
    }

    @Test
    void shouldKeepBothPiecesThatANodeInUseLiesIn() {
        useAllAndFreeAllBut(over(3));
        pieces.giveBack(node(nodes));
        assertGone("X..XX....X");
        assertEquals(memory.base() + 5 * Pieces.SIZE, pieces.endOfUsed(node(nodes - 60)));
        pieces.free(node(over(3)));
        assertEquals(2 * Pieces.SIZE, pieces.freeBytes());
        pieces.giveBack(node(nodes));
        assertGone("X........X");
        assertEquals(8 * Pieces.SIZE, pieces.givenBackBytes());
    }

    @Test
    void shouldNotCountAPieceAsFreeThatIsUsedAgain() {
        useAllAndFreeAllBut();
        pieces.use(node(over(3)));
        assertEquals(6 * Pieces.SIZE, pieces.freeBytes());
        pieces.giveBack(node(nodes));
        assertGone("X..XX....X");
        pieces.use(node(over(6)));
        assertEquals(0, pieces.freeBytes());
        pieces.free(node(over(6)));
        assertEquals(2 * Pieces.SIZE, pieces.freeBytes());
    }

    /** By a letter for each piece: X for what is still there. */
    private void assertGone(String expected) {
        assumeTrue(NativeMemory.available(), "what goes back cannot be told to the system");
        StringBuilder found = new StringBuilder();
        for (long at = 0; at < SIZE; at += Pieces.SIZE) {
            byte first = host.segment().get(ValueLayout.JAVA_BYTE, at);
            byte last = host.segment().get(ValueLayout.JAVA_BYTE, at + Pieces.SIZE - 1);
            assertEquals(first, last);
            found.append(first == MARK ? 'X' : '.');
        }
        assertEquals(expected, found.toString());
    }
}
