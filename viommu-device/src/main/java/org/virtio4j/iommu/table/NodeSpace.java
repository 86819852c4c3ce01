// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.table;

import java.lang.foreign.MemorySegment;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.virtio4j.vmm.HostMemory;

/**
 * The memory that the tables of one IOMMU share, dealt out in nodes of two sizes: leaves, and inner nodes.
 *
 * <p>A node is free, or in use, or <em>retired</em>: taken out of its tree, but perhaps still under the eyes of a
 * reader that found it before. Retired nodes become free in {@link #reclaim}, which the writer calls after a grace
 * period: after it has seen every reader outside a section at least once since the latest change. Any number of changes
 * may lie between two grace periods; the nodes they retire wait in a list that has room for all nodes there are.
 *
 * <p>All methods belong to the writer. Nothing here is loaded by a reader. Memory that is committed as it is touched is
 * committed only as far as the space is in use, and of memory that the space owns, what becomes free goes back to the
 * system, but for a small part: {@link #bytesKept}.
 */
public final class NodeSpace implements AutoCloseable {

    /** Most nodes that one removal takes before it gives any back, however high the tree. */
    private static final int NODES_TO_REMOVE = 64;
    /** Most nodes that one insertion takes: two a level, a new root, and a separator that moves. */
    private static final int NODES_TO_INSERT = 2 * Node.MAX_LEVELS + 2;
    private static final int NODES_TO_CHANGE = NODES_TO_INSERT + NODES_TO_REMOVE;
    /** Inner nodes that changes between two grace periods may retire without a table being full for it. */
    private static final int INNER_IN_RETIREMENT = 128;
    /** The leaf that all empty tables share. */
    private static final int LEAVES_OF_SPACE = 1;
    /** Where the root word is. */
    private static final int LEAVES_OF_TABLE = 1;

    private static final long BYTES_PER_LEAF = NodePool.bytesPerNode(Leaf.SIZE);
    private static final long BYTES_PER_INNER = NodePool.bytesPerNode(Node.SIZE);
    /** What the emptiest leaves that a guest can bring about may cost each mapping. */
    private static final long LEAF_BYTES_PER_MAPPING = 160;
    /** There is an inner node for so many leaves; the emptiest that a guest can bring about have twice as many. */
    private static final int LEAVES_PER_INNER = 16;
    /** A leaf with its share of inner nodes. */
    private static final long BYTES_PER_LEAF_AND_ABOVE = BYTES_PER_LEAF
            + (BYTES_PER_INNER + LEAVES_PER_INNER - 1) / LEAVES_PER_INNER;
    /** What any space has, without room for a mapping. */
    private static final long FIXED_BYTES = (NODES_TO_CHANGE + INNER_IN_RETIREMENT) * BYTES_PER_INNER
            + (NODES_TO_CHANGE + LEAVES_OF_SPACE) * BYTES_PER_LEAF + 4 * Node.ALIGNMENT;
    private static final long MAX_BYTES = (1L << Integer.SIZE) * NodeMemory.UNIT;

    private final @Nullable HostMemory owned;
    private final NodeMemory memory;
    private final NodePool leaves;
    private final NodePool inner;
    private final WriterWords epoch = new WriterWords(1);
    private int tables;
    private boolean closed;

    /**
     * Uses memory that somebody else keeps, at least until every reader is gone.
     *
     * @param segment zeroed or not; aligned to 128 bytes, of at least {@link #bytesFor bytesFor(0, 1)} bytes
     * @throws IllegalArgumentException if the segment is too small, too large or not aligned
     */
    public NodeSpace(MemorySegment segment) {
        this(segment, null, NodePool.KEPT);
    }

    /**
     * Takes memory over.
     *
     * @param memory to be closed by {@link #close}; of at least {@link #bytesFor bytesFor(0, 1)} bytes
     * @throws IllegalArgumentException if it is too small or too large
     */
    public NodeSpace(HostMemory memory) {
        this(memory, NodePool.KEPT);
    }

    /** For tests: what each pool keeps of free memory is given, in bytes. */
    NodeSpace(HostMemory memory, long kept) {
        this(memory.segment(), memory, kept);
    }

    private NodeSpace(MemorySegment segment, @Nullable HostMemory owned, long kept) {
        long size = segment.byteSize();
        if (size < bytesFor(0, 1)) {
            throw new IllegalArgumentException("segment size=" + size + ": give at least " + bytesFor(0, 1) + " bytes");
        }
        if (!segment.isNative() || segment.address() % Node.ALIGNMENT != 0) {
            throw new IllegalArgumentException("segment=" + segment + ": give native memory whose address is a multiple"
                    + " of " + Node.ALIGNMENT);
        }
        if (size > MAX_BYTES) {
            throw new IllegalArgumentException("segment size=" + size + ": 32-bit references reach only " + MAX_BYTES
                    + " bytes");
        }
        this.owned = owned;
        memory = new NodeMemory(segment, owned);
        long more = (size - FIXED_BYTES) / BYTES_PER_LEAF_AND_ABOVE;
        leaves = new NodePool(memory, memory.base(), Leaf.SIZE, NODES_TO_CHANGE + LEAVES_OF_SPACE + more,
                kept);
        inner = new NodePool(memory, leaves.end(), Node.SIZE,
                NODES_TO_CHANGE + INNER_IN_RETIREMENT + more / LEAVES_PER_INNER, kept);
        Leaf.clear(memory, allocateLeaf());
    }

    /**
     * How much memory never runs out, whatever the guest does.
     *
     * @param mappings most mappings in all tables together
     * @param tables   most tables at a time
     * @return bytes for the constructor; memory that is committed as it is touched costs a fraction of that
     */
    public static long bytesFor(long mappings, int tables) {
        long leaves = (mappings * LEAF_BYTES_PER_MAPPING + BYTES_PER_LEAF - 1) / BYTES_PER_LEAF;
        return FIXED_BYTES + (leaves + (long) tables * LEAVES_OF_TABLE) * BYTES_PER_LEAF_AND_ABOVE;
    }

    /**
     * Whether a new {@link MappingTree} fits. If not, and {@link #retired} is not 0, a grace period and {@link
     * #reclaim} may help.
     *
     * @return true if its constructor may be called
     */
    public boolean hasRoomForTable() {
        return !closed && leaves.available() >= LEAVES_OF_TABLE + NODES_TO_CHANGE
                && inner.available() >= NODES_TO_CHANGE;
    }

    /**
     * How many nodes wait for a grace period.
     *
     * @return 0 if {@link #reclaim} would have nothing to do
     */
    public long retired() {
        return leaves.retired() + inner.retired();
    }

    /**
     * Makes all retired nodes free. A grace period must have begun after the latest change of any table in this space
     * and have ended by now.
     */
    public void reclaim() {
        if (closed) {
            return;
        }
        leaves.reclaim();
        inner.reclaim();
        epoch.add(0, 1);
    }

    /**
     * Gives the memory back. This must hold before:
     * <ol>
     * <li>Every table was {@linkplain MappingTable#discard discarded}: a reader that enters a section from now on finds
     * nothing, also in tables that readers still refer to.
     * <li>A grace period has begun after that and is over: no reader is left that began to look before.
     * <li>{@link #reclaim} was called after that.
     * </ol>
     * Afterwards there is no room for a table, and tables that are still referred to are as they were after {@code
     * discard}. A second call does nothing.
     *
     * @throws IllegalStateException if a table was not discarded, or no reclaim came after
     */
    @Override
    public void close() {
        if (tables != 0 || retired() != 0) {
            throw new IllegalStateException("tables=" + tables + " retired=" + retired()
                    + ": discard every table, wait for all readers and call reclaim before the memory is given back");
        }
        closed = true;
        if (owned != null) {
            owned.close();
        }
    }

    /** A table takes nodes from here. */
    void began() {
        tables++;
    }

    /** It was discarded. */
    void ended() {
        tables--;
    }

    /** Counts grace periods: what was freed in a leaf under another number can be used again. */
    int epoch() {
        return (int) epoch.get(0);
    }

    /**
     * Memory in use now: trees, what the tables themselves need, and retired nodes.
     *
     * @return bytes
     */
    public long bytesInUse() {
        return leaves.bytesInUse() + inner.bytesInUse();
    }

    /**
     * Memory in use, and free memory that is kept for what comes next, at most 8 MiB. Free nodes beside one in use
     * are not counted, though their memory stays until a piece of 64 KiB is free.
     *
     * @return bytes
     */
    public long bytesKept() {
        return leaves.bytesKept() + inner.bytesKept();
    }

    /** Memory that has gone back to the system so far. */
    long bytesGivenBack() {
        return leaves.givenBackBytes() + inner.givenBackBytes();
    }

    /** Nodes that are not free. */
    long nodesInUse() {
        return leaves.inUse() + inner.inUse();
    }

    NodeMemory memory() {
        return memory;
    }

    /** The leaf with nothing in it, which every empty table has for a root. */
    long emptyLeaf() {
        return memory.base();
    }

    boolean hasRoomToInsert() {
        return leaves.available() >= NODES_TO_CHANGE && inner.available() >= NODES_TO_CHANGE;
    }

    /**
     * Holds whenever nothing is retired: insertions leave that much, and removals retire at least as many nodes as they
     * take.
     */
    boolean hasRoomToRemove() {
        return leaves.available() >= NODES_TO_REMOVE && inner.available() >= NODES_TO_REMOVE;
    }

    /** Takes a free leaf, of which there must be one. What it holds is undefined. */
    long allocateLeaf() {
        return leaves.allocate();
    }

    /** Takes a free inner node, of which there must be one. What it holds is undefined. */
    long allocateInner() {
        return inner.allocate();
    }

    /** Puts a node that no tree holds any more among those that wait for a grace period. */
    void retire(long node) {
        if (node != emptyLeaf()) {
            (leaves.holds(node) ? leaves : inner).retire(node);
        }
    }

    /** Retires some children of an inner node, which are leaves. */
    void retireLeaves(long node, int first, int count) {
        leaves.retireChildren(node, first, count);
    }

    /** Checks that none of the nodes of a tree is free, retired, or was never dealt out. */
    void requireHeld(Set<Long> nodes) {
        leaves.requireHeld(nodes);
        inner.requireHeld(nodes);
    }
}
