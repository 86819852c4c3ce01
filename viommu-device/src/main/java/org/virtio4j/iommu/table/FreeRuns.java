// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.table;

/**
 * Finds the free nodes of a pool that lie side by side, and gives the pages they cover back to the system. A free node
 * may hold anything, so that it does not matter what such a page reads as later. The writer's alone.
 *
 * <p>A bit for each node, in memory of the pool, says whether it is free; it is up to date during a call of {@link
 * NodePool#reclaim} alone.
 */
final class FreeRuns {

    /** Smaller pieces are not worth a system call. A multiple of every page size in use. */
    private static final long UNIT = 64 << 10;

    private final NodeMemory memory;
    private final long begin;
    private final long nodeSize;
    private final long capacity;
    private final long marks;

    /**
     * For a pool.
     *
     * @param marks where the bits are; aligned to 8 bytes
     */
    FreeRuns(NodeMemory memory, long begin, long nodeSize, long capacity, long marks) {
        this.memory = memory;
        this.begin = begin;
        this.nodeSize = nodeSize;
        this.capacity = capacity;
        this.marks = marks;
    }

    /** Where the bits end. */
    long end() {
        return wordAt(wordOf(capacity - 1) + 1);
    }

    /** Says of the first nodes that none is free. */
    void clear(long nodes) {
        memory.zero(marks, (wordOf(nodes - 1) + 1) * Long.BYTES);
    }

    void mark(long node) {
        long index = (node - begin) / nodeSize;
        long at = wordAt(wordOf(index));
        memory.putI64(at, memory.i64(at) | 1L << index);
    }

    /** Gives back what the marked ones among the first nodes cover. */
    void giveBack(long nodes) {
        long end = 0;
        while (end < nodes) {
            long first = next(end, nodes, 0);
            end = next(first, nodes, -1);
            giveBack(begin + first * nodeSize, begin + end * nodeSize);
        }
    }

    /** The first node from one on that is free, or with a mask of -1 that is not; else {@code nodes}. */
    private long next(long from, long nodes, long mask) {
        long left = -1L << from;
        for (long word = wordOf(from); word * Long.SIZE < nodes; word++) {
            long found = (memory.i64(wordAt(word)) ^ mask) & left;
            if (found != 0) {
                return Math.min(nodes, word * Long.SIZE + Long.numberOfTrailingZeros(found));
            }
            left = -1;
        }
        return nodes;
    }

    private void giveBack(long from, long to) {
        long first = from - memory.base() + UNIT - 1 & -UNIT;
        long end = to - memory.base() & -UNIT;
        if (first < end) {
            memory.giveBack(first, end - first);
        }
    }

    private static long wordOf(long index) {
        return index / Long.SIZE;
    }

    private long wordAt(long word) {
        // In bounds: the pool has made room for as many bits as it has nodes, and an index is one of those.
        return marks + word * Long.BYTES;
    }
}
