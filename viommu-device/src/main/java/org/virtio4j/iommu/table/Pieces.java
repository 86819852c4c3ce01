// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.table;

/**
 * The pieces of 64 KiB that the nodes of a pool lie in. A piece that no node in use lies in can go back to the system:
 * a free node may hold anything, so that it does not matter what such memory reads as later. The writer's alone.
 *
 * <p>There is a number for each piece. All of its bits but the lowest count the nodes in use that lie in the piece,
 * wholly or partly. The lowest says that the piece was used since it went back, if it ever did. A piece that the pool
 * shares with what lies before or behind its nodes is in use for good.
 */
final class Pieces {

    private static final int SHIFT = 16;
    /** Bytes. Smaller pieces are not worth a system call; a multiple of every page size in use. */
    static final long SIZE = 1 << SHIFT;

    private static final int GONE = 0;
    private static final int TOUCHED = 1;
    private static final int NODE = 2;

    /** How many pieces are free, but have not gone back. */
    private static final int FREE = 0;
    /** How many have gone back so far. */
    private static final int GIVEN_BACK = 1;

    /** A huge page of the system may reach so far behind the last node. */
    private static final int HUGE_PAGE = (2 << 20) >> SHIFT;

    private final NodeMemory memory;
    private final long nodeSize;
    private final int first;
    private final int last;
    private final WriterWords uses;
    private final WriterWords counters = new WriterWords(GIVEN_BACK + 1);

    /**
     * For a pool that has no node in use.
     *
     * @param begin where the nodes begin
     * @param end   where they end
     */
    Pieces(NodeMemory memory, long begin, long end, long nodeSize) {
        this.memory = memory;
        this.nodeSize = nodeSize;
        this.first = piece(begin);
        this.last = piece(end) - first;
        uses = new WriterWords(last + 1);
        uses.set(0, TOUCHED + NODE);
        uses.set(last, TOUCHED + NODE);
    }

    /** Notes that a free node is used from now on. */
    void use(long node) {
        int begin = piece(node) - first;
        int end = piece(node + nodeSize - 1) - first;
        use(begin);
        if (begin != end) {
            use(end);
        }
    }

    private void use(int piece) {
        long before = uses.get(piece);
        uses.set(piece, (before | TOUCHED) + NODE);
        if (before == TOUCHED) {
            counters.add(FREE, -1);
        }
    }

    /** Notes that a node is free from now on. */
    void free(long node) {
        int begin = piece(node) - first;
        int end = piece(node + nodeSize - 1) - first;
        free(begin);
        if (begin != end) {
            free(end);
        }
    }

    private void free(int piece) {
        long after = uses.get(piece) - NODE;
        uses.set(piece, after);
        if (after == TOUCHED) {
            counters.add(FREE, 1);
        }
    }

    /** Memory that is free, but has not gone back. */
    long freeBytes() {
        return counters.get(FREE) << SHIFT;
    }

    /** Memory that has gone back so far. */
    long givenBackBytes() {
        return counters.get(GIVEN_BACK) << SHIFT;
    }

    /**
     * Gives back every piece that is free, those that lie side by side together.
     *
     * @param end where the nodes end that were ever used
     */
    void giveBack(long end) {
        int used = Math.min(piece(end) - first, last - 1);
        int from = 0;
        for (int piece = 0; piece <= used; piece++) {
            if (uses.get(piece) == TOUCHED) {
                uses.set(piece, GONE);
            } else {
                giveBack(from, piece);
                from = piece + 1;
            }
        }
        if (from <= used) {
            giveBack(from, Math.min(used + 1 + HUGE_PAGE, last));
        }
        counters.add(GIVEN_BACK, counters.get(FREE));
        counters.set(FREE, 0);
    }

    private void giveBack(int from, int end) {
        if (from < end) {
            memory.giveBack((long) (first + from) << SHIFT, (long) (end - from) << SHIFT);
        }
    }

    /**
     * Where the last piece ends that is in use.
     *
     * @param end where the nodes end that were ever used
     */
    long endOfUsed(long end) {
        int piece = piece(end) - first;
        while (uses.get(piece) < NODE) {
            piece--;
        }
        return memory.base() + ((long) (first + piece + 1) << SHIFT);
    }

    private int piece(long at) {
        return (int) ((at - memory.base()) >>> SHIFT);
    }
}
