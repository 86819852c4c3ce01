// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.table;

import java.lang.foreign.MemorySegment;
import java.util.Set;
import org.virtio4j.vmm.LittleEndian;

/**
 * The memory that the tables of one IOMMU share, dealt out in nodes of one size.
 *
 * <p>A node is free, or in use, or <em>retired</em>: taken out of its tree, but perhaps still under the eyes of a
 * reader that found it before. Retired nodes become free in {@link #reclaim}, which the writer calls after a grace
 * period: after it has seen every reader outside a section at least once since the latest change. Any number of changes
 * may lie between two grace periods; the nodes they retire wait in a list that has room for all nodes there are.
 *
 * <p>All methods belong to the writer. Nothing here is loaded by a reader.
 *
 * <pre>
 *     +---------+---------+----- ... -----+-----------------+------------ ... ------------+-----------------+
 *     | node 0  | node 1  |               | free references |  ---&gt;                 &lt;---  |     retired     |
 *     +---------+---------+----- ... -----+-----------------+------------ ... ------------+-----------------+
 * </pre>
 *
 * <p>Behind the nodes lies room for one reference each. From the left it holds a stack of the freed nodes, from the
 * right one of the retired; as no node is both, they never meet. Nodes that were never used are in neither. Memory that
 * is committed as it is touched is committed only as far as the space was ever in use.
 */
public final class NodeSpace {

    /** Most nodes that one removal takes before it gives any back, however high the tree. */
    private static final int NODES_TO_REMOVE = 64;
    /** Most nodes that one insertion takes: two a level, a new root, and a separator that moves. */
    private static final int NODES_TO_INSERT = 2 * Node.MAX_LEVELS + 2;
    /** The leaf that all empty tables share. */
    private static final int NODES_OF_SPACE = 1;
    private static final int NODES_OF_TABLE = 1;

    private static final long REFERENCE_SIZE = Integer.BYTES;
    private static final long BYTES_PER_NODE = Node.SIZE + REFERENCE_SIZE;
    /** What the emptiest leaves that a guest can bring about may cost each mapping, inner nodes included. */
    private static final long BYTES_PER_MAPPING = 160;
    private static final long MAX_NODES = (1L << Integer.SIZE) * Node.ALIGNMENT / Node.SIZE;

    private static final int TOUCHED = 0;
    private static final int FREED = 1;
    private static final int RETIRED = 2;
    private static final int EPOCH = 3;

    private final MemorySegment segment;
    private final long references;
    private final long capacity;
    private final WriterWords counters = new WriterWords(4);

    /**
     * Takes memory over.
     *
     * @param segment zeroed or not; aligned to 128 bytes, of at least {@link #bytesFor bytesFor(0, 1)} bytes
     * @throws IllegalArgumentException if the segment is too small, too large or not aligned
     */
    public NodeSpace(MemorySegment segment) {
        long size = segment.byteSize();
        if (size < bytesFor(0, 1)) {
            throw new IllegalArgumentException("segment size=" + size + ": give at least " + bytesFor(0, 1) + " bytes");
        }
        if (!segment.isNative() || segment.address() % Node.ALIGNMENT != 0) {
            throw new IllegalArgumentException("segment=" + segment + ": give native memory whose address is a multiple"
                    + " of " + Node.ALIGNMENT);
        }
        capacity = size / BYTES_PER_NODE;
        if (capacity > MAX_NODES) {
            throw new IllegalArgumentException("segment size=" + size + ": 32-bit references reach only "
                    + MAX_NODES * BYTES_PER_NODE + " bytes");
        }
        this.segment = segment;
        references = capacity * Node.SIZE;
        Leaf.clear(segment, allocate());
    }

    /**
     * How much memory is enough, whatever the guest does, short of running out.
     *
     * @param mappings most mappings in all tables together
     * @param tables   most tables at a time
     * @return bytes for the constructor; memory that is committed as it is touched costs a fraction of that
     */
    public static long bytesFor(long mappings, int tables) {
        long fixed = NODES_OF_SPACE + (long) tables * NODES_OF_TABLE + NODES_TO_INSERT + NODES_TO_REMOVE;
        return fixed * BYTES_PER_NODE + mappings * BYTES_PER_MAPPING;
    }

    /**
     * Whether a new {@link MappingTree} fits. If not, and {@link #retired} is not 0, a grace period and {@link
     * #reclaim} may help.
     *
     * @return true if its constructor may be called
     */
    public boolean hasRoomForTable() {
        return available() >= NODES_OF_TABLE + NODES_TO_INSERT + NODES_TO_REMOVE;
    }

    /**
     * How many nodes wait for a grace period.
     *
     * @return 0 if {@link #reclaim} would have nothing to do
     */
    public long retired() {
        return counters.get(RETIRED);
    }

    /**
     * Makes all retired nodes free. A grace period must have begun after the latest change of any table in this space
     * and have ended by now.
     */
    public void reclaim() {
        long retired = counters.get(RETIRED);
        long first = capacity - retired;
        MemorySegment.copy(segment, referenceAt(first), segment, referenceAt(counters.get(FREED)),
                retired * REFERENCE_SIZE);
        counters.add(FREED, retired);
        counters.set(RETIRED, 0);
        counters.add(EPOCH, 1);
    }

    /** Counts grace periods: what was freed in a leaf under another number can be used again. */
    int epoch() {
        return (int) counters.get(EPOCH);
    }

    /**
     * Memory in use now: trees, what the tables themselves need, and retired nodes.
     *
     * @return bytes
     */
    public long bytesInUse() {
        return nodesInUse() * Node.SIZE;
    }

    /**
     * The most memory that was ever in use at a time, retired nodes included; what has been touched of the segment.
     *
     * @return bytes
     */
    public long highWaterBytes() {
        return counters.get(TOUCHED) * BYTES_PER_NODE;
    }

    /** Nodes that are not free. */
    long nodesInUse() {
        return counters.get(TOUCHED) - counters.get(FREED);
    }

    MemorySegment segment() {
        return segment;
    }

    /** The leaf with nothing in it, which every empty table has for a root. */
    long emptyLeaf() {
        return 0;
    }

    boolean hasRoomToInsert() {
        return available() >= NODES_TO_INSERT + NODES_TO_REMOVE;
    }

    /**
     * Holds whenever nothing is retired: insertions leave that much, and removals retire at least as many nodes as they
     * take.
     */
    boolean hasRoomToRemove() {
        return available() >= NODES_TO_REMOVE;
    }

    private long available() {
        return capacity - counters.get(TOUCHED) + counters.get(FREED);
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
        return touched * Node.SIZE;
    }

    /** Puts a node that no tree holds any more among those that wait for a grace period. */
    void retire(long node) {
        if (node == emptyLeaf()) {
            return;
        }
        long retired = counters.get(RETIRED) + 1;
        counters.set(RETIRED, retired);
        LittleEndian.putI32(segment, referenceAt(capacity - retired), Node.reference(node));
    }

    /** Retires {@code count} children of an inner node. */
    void retireChildren(long node, int first, int count) {
        long retired = counters.get(RETIRED) + count;
        counters.set(RETIRED, retired);
        MemorySegment.copy(segment, Node.childAt(node, first), segment, referenceAt(capacity - retired),
                count * REFERENCE_SIZE);
    }

    /** Checks that none of the nodes of a tree is free, retired, or was never dealt out. */
    void requireHeld(Set<Long> nodes) {
        for (long node : nodes) {
            require(node % Node.SIZE == 0 && node < counters.get(TOUCHED) * Node.SIZE, node, "was never dealt out");
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
        return Node.offset(LittleEndian.i32(segment, referenceAt(slot)));
    }

    private long referenceAt(long slot) {
        return references + slot * REFERENCE_SIZE;
    }
}
