// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.table;

import java.util.Set;

/**
 * The nodes of one size: those in use, those that are free, and those that are retired. The writer's alone.
 *
 * <pre>
 *     +---------+---------+---- ... ----+-----------------+---------- ... ----------+-----------------+
 *     | node 0  | node 1  |             | free references |  ---&gt;             &lt;---  |     retired     |
 *     +---------+---------+---- ... ----+-----------------+---------- ... ----------+-----------------+
 * </pre>
 *
 * <p>Behind the nodes lies room for one reference each. From the left it holds a stack of the freed nodes, from the
 * right one of the retired; as no node is both, they never meet. Nodes that were never used are in neither.
 *
 * <p>Freed nodes keep their memory, for a guest that maps again, up to {@link #KEPT} bytes of {@link Pieces} that no
 * node in use lies in. When there are more, all of them go back to the system, with the references of nodes that are
 * not free any more. If the last nodes that were ever used are free, an eighth of all or more, they then count as never
 * used, so that their references go, too. What stays beside the nodes in use is bounded by that, and by the pieces that
 * a node in use keeps.
 */
final class NodePool {

    private static final long REFERENCE_SIZE = Integer.BYTES;

    /**
     * Free memory up to this is kept, in bytes. A guest that maps 64 Ki pages and unmaps them, again and again, stays
     * below: it should not wait for the system each time.
     */
    static final long KEPT = 4L << 20;
    /** The part of the nodes that must have become free at the end, so that sorting them out is worth it. */
    private static final long CUT_PART = 8;

    /** Nodes that were ever used: those below this number. */
    private static final int TOUCHED = 0;
    private static final int FREED = 1;
    private static final int RETIRED = 2;

    private final NodeMemory memory;
    private final long begin;
    private final long nodeSize;
    private final long capacity;
    private final long kept;
    private final long references;
    private final Pieces pieces;
    private final WriterWords counters = new WriterWords(RETIRED + 1);

    /**
     * Makes all nodes free.
     *
     * @param begin where the first node is to be; aligned to {@link Node#ALIGNMENT}
     * @param nodeSize a multiple of {@link NodeMemory#UNIT}
     * @param kept     bytes of free memory that do not go back, {@link #KEPT} but in tests
     */
    NodePool(NodeMemory memory, long begin, long nodeSize, long capacity, long kept) {
        this.memory = memory;
        this.begin = begin;
        this.nodeSize = nodeSize;
        this.capacity = capacity;
        this.kept = kept;
        this.references = begin + capacity * nodeSize;
        this.pieces = new Pieces(memory, begin, references, nodeSize);
    }

    /** What a node takes, its reference included. */
    static long bytesPerNode(long nodeSize) {
        return nodeSize + REFERENCE_SIZE;
    }

    /** Where the pool ends, rounded up to where another may begin. */
    long end() {
        return aligned(referenceAt(capacity));
    }

    private static long aligned(long at) {
        return at + Node.ALIGNMENT - 1 & -Node.ALIGNMENT;
    }

    /** Nodes that can be taken now. */
    long available() {
        return capacity - inUse();
    }

    /** Nodes that are not free, those included that are retired. */
    long inUse() {
        return counters.get(TOUCHED) - counters.get(FREED);
    }

    long retired() {
        return counters.get(RETIRED);
    }

    long bytesInUse() {
        return inUse() * nodeSize;
    }

    /** Memory that is in use, and pieces that are free but kept. */
    long bytesKept() {
        return inUse() * bytesPerNode(nodeSize) + pieces.freeBytes();
    }

    long givenBackBytes() {
        return pieces.givenBackBytes();
    }

    boolean holds(long node) {
        return node >= begin && node < references;
    }

    /** Takes a free node, the one freed last, of which there must be one. What it holds is undefined. */
    long allocate() {
        long node = takeFree();
        pieces.use(node);
        return node;
    }

    private long takeFree() {
        long freed = counters.get(FREED);
        if (freed != 0) {
            counters.set(FREED, freed - 1);
            return nodeAt(freed - 1);
        }
        long touched = counters.get(TOUCHED);
        if (touched == capacity) {
            throw new IllegalStateException("nodes=" + capacity + " are all in use, though room was asked for before");
        }
        counters.set(TOUCHED, touched + 1);
        // In bounds: there are as many nodes as the capacity says, and touched is below that.
        return begin + touched * nodeSize;
    }

    void retire(long node) {
        memory.putI32(retire(1), memory.reference(node));
    }

    /** Retires children of an inner node that are all of this pool. */
    void retireChildren(long node, int first, int count) {
        long at = retire(count);
        for (int i = 0; i < count; i++) {
            memory.putI32(at + i * REFERENCE_SIZE, memory.i32(Node.childAt(node, first + i)));
        }
    }

    /** Makes room on the stack of the retired, and says where it is. */
    private long retire(int count) {
        counters.add(RETIRED, count);
        return referenceAt(capacity - counters.get(RETIRED));
    }

    /** Makes all retired nodes free. */
    void reclaim() {
        long retired = counters.get(RETIRED);
        if (retired == 0) {
            return;
        }
        long freed = counters.get(FREED);
        // From the left, so that what the two have in common is read before it is written.
        for (long slot = capacity - retired; slot < capacity; slot++) {
            int reference = memory.i32(referenceAt(slot));
            memory.putI32(referenceAt(freed), reference);
            pieces.free(memory.node(reference));
            freed++;
        }
        counters.set(FREED, freed);
        counters.set(RETIRED, 0);
        if (pieces.freeBytes() > kept) {
            giveBack();
        }
    }

    private void giveBack() {
        long end = begin + counters.get(TOUCHED) * nodeSize;
        pieces.giveBack(end);
        cut((pieces.endOfUsed(end) - begin + nodeSize - 1) / nodeSize);
        // Nothing is retired now.
        long unused = (referenceAt(counters.get(FREED)) - memory.base() + Pieces.SIZE - 1) & -Pieces.SIZE;
        long rest = ((referenceAt(capacity) - memory.base()) & -Pieces.SIZE) - unused;
        if (rest > 0) {
            memory.giveBack(unused, rest);
        }
    }

    /** Makes nodes from one on, which are free, as if they were never used, if there are many. */
    private void cut(long end) {
        if (counters.get(TOUCHED) - end < counters.get(TOUCHED) / CUT_PART) {
            return;
        }
        long kept = 0;
        for (long slot = 0; slot < counters.get(FREED); slot++) {
            int reference = memory.i32(referenceAt(slot));
            if (memory.node(reference) < begin + end * nodeSize) {
                memory.putI32(referenceAt(kept), reference);
                kept++;
            }
        }
        counters.set(FREED, kept);
        counters.set(TOUCHED, end);
    }

    /** Checks of those nodes of a tree that are of this pool that none is free, retired, or was never dealt out. */
    void requireHeld(Set<Long> nodes) {
        for (long node : nodes) {
            require(!holds(node) || ((node - begin) % nodeSize == 0 && node - begin < counters.get(TOUCHED) * nodeSize),
                    node, "was never dealt out");
        }
        for (long slot = 0; slot < counters.get(FREED); slot++) {
            require(!nodes.contains(nodeAt(slot)), nodeAt(slot), "is free");
        }
        for (long slot = capacity - counters.get(RETIRED); slot < capacity; slot++) {
            require(!nodes.contains(nodeAt(slot)), nodeAt(slot), "is retired");
        }
    }

    private static void require(boolean holds, long node, String broken) {
        if (!holds) {
            throw new IllegalStateException("a tree holds node offset=" + node + ", which " + broken);
        }
    }

    private long nodeAt(long slot) {
        // In bounds: the writer alone stores here, references of nodes of this pool.
        return memory.node(memory.i32(referenceAt(slot)));
    }

    private long referenceAt(long slot) {
        // In bounds: a slot is one of as many as the capacity says, since a node is in one place at a time.
        return references + slot * REFERENCE_SIZE;
    }
}
