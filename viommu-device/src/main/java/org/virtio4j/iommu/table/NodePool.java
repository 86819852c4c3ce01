// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.table;

import java.util.Set;

/**
 * The nodes of one size: those in use, those that are free, and those that are retired. The writer's alone.
 *
 * <pre>
 *     +---------+---------+---- ... ----+-----------------+---------- ... ----------+-----------------+-------+
 *     | node 0  | node 1  |             | free references |  ---&gt;             &lt;---  |     retired     | marks |
 *     +---------+---------+---- ... ----+-----------------+---------- ... ----------+-----------------+-------+
 * </pre>
 *
 * <p>Behind the nodes lies room for one reference each. From the left it holds a stack of the freed nodes, from the
 * right one of the retired; as no node is both, they never meet. Nodes that were never used are in neither. The marks
 * are {@link FreeRuns}'.
 *
 * <p>Freed nodes keep their memory, for a guest that maps again; but once there is a lot of it that was not used again,
 * it goes back to the system. That takes time in proportion to the size of the pool, and is done when an eighth of the
 * pool was freed since the last time.
 */
final class NodePool {

    private static final long REFERENCE_SIZE = Integer.BYTES;
    /** A bit, but sizes are whole bytes. */
    private static final long MARK_SIZE = 1;

    /** Freed memory below this is kept, in bytes. */
    private static final long KEPT = 4L << 20;
    /** The part of the pool that is kept in any case. */
    private static final long KEPT_PART = 8;

    private static final int TOUCHED = 0;
    private static final int FREED = 1;
    private static final int RETIRED = 2;
    /** The lower part of the stack of freed nodes: those that have been free since memory was given back last. */
    private static final int GIVEN_BACK = 3;

    private final NodeMemory memory;
    private final long begin;
    private final long nodeSize;
    private final long capacity;
    private final long references;
    private final FreeRuns runs;
    private final WriterWords counters = new WriterWords(GIVEN_BACK + 1);

    /**
     * Makes all nodes free.
     *
     * @param begin where the first node is to be; aligned to {@link Node#ALIGNMENT}
     * @param nodeSize a multiple of {@link NodeMemory#UNIT}
     */
    NodePool(NodeMemory memory, long begin, long nodeSize, long capacity) {
        this.memory = memory;
        this.begin = begin;
        this.nodeSize = nodeSize;
        this.capacity = capacity;
        this.references = begin + capacity * nodeSize;
        this.runs = new FreeRuns(memory, begin, nodeSize, capacity, aligned(references + capacity * REFERENCE_SIZE));
    }

    /** What a node takes, its reference and its mark included. */
    static long bytesPerNode(long nodeSize) {
        return nodeSize + REFERENCE_SIZE + MARK_SIZE;
    }

    /** Where the pool ends, rounded up to where another may begin. */
    long end() {
        return aligned(runs.end());
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

    /** The most that was ever in use at a time, with references. */
    long highWaterBytes() {
        return counters.get(TOUCHED) * bytesPerNode(nodeSize);
    }

    boolean holds(long node) {
        return node >= begin && node < references;
    }

    /** Takes a free node, the one freed last, of which there must be one. What it holds is undefined. */
    long allocate() {
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
        long freed = counters.get(FREED);
        // Nodes become free nowhere else, so that there have never been fewer since the last time.
        counters.set(GIVEN_BACK, Math.min(counters.get(GIVEN_BACK), freed));
        memory.copy(referenceAt(capacity - retired), referenceAt(freed), retired * REFERENCE_SIZE);
        counters.set(FREED, freed + retired);
        counters.set(RETIRED, 0);
        if ((freed + retired - counters.get(GIVEN_BACK)) * nodeSize >= KEPT) {
            giveBack();
        }
    }

    /** Gives the memory of free nodes back, if a large part of the pool is free that was not the last time. */
    private void giveBack() {
        long freed = counters.get(FREED);
        long touched = counters.get(TOUCHED);
        if (freed - counters.get(GIVEN_BACK) < touched / KEPT_PART) {
            return;
        }
        runs.clear(touched);
        for (long slot = 0; slot < freed; slot++) {
            runs.mark(nodeAt(slot));
        }
        runs.giveBack(touched);
        counters.set(GIVEN_BACK, freed);
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
