// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.table;

import java.util.Set;

/**
 * The nodes of one size: those in use, those that are free, and those that are retired. The writer's alone.
 *
 * <pre>
 *     +---------+---------+----- ... -----+-----------------+------------ ... ------------+-----------------+
 *     | node 0  | node 1  |               | free references |  ---&gt;                 &lt;---  |     retired     |
 *     +---------+---------+----- ... -----+-----------------+------------ ... ------------+-----------------+
 * </pre>
 *
 * <p>Behind the nodes lies room for one reference each. From the left it holds a stack of the freed nodes, from the
 * right one of the retired; as no node is both, they never meet. Nodes that were never used are in neither.
 */
final class NodePool {

    private static final long REFERENCE_SIZE = Integer.BYTES;

    private static final int TOUCHED = 0;
    private static final int FREED = 1;
    private static final int RETIRED = 2;

    private final NodeMemory memory;
    private final long begin;
    private final long nodeSize;
    private final long capacity;
    private final long references;
    private final WriterWords counters = new WriterWords(RETIRED + 1);

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
    }

    /** What a node takes, its reference included. */
    static long bytesPerNode(long nodeSize) {
        return nodeSize + REFERENCE_SIZE;
    }

    /** Where the pool ends, rounded up to where another may begin. */
    long end() {
        return references + capacity * REFERENCE_SIZE + Node.ALIGNMENT - 1 & -Node.ALIGNMENT;
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
        memory.copy(referenceAt(capacity - retired), referenceAt(counters.get(FREED)), retired * REFERENCE_SIZE);
        counters.add(FREED, retired);
        counters.set(RETIRED, 0);
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
        return memory.node(memory.i32(referenceAt(slot)));
    }

    private long referenceAt(long slot) {
        return references + slot * REFERENCE_SIZE;
    }
}
