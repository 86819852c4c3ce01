// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.table;


/**
 * What an inner node looks like; {@link Leaf} has the nodes below. An inner node is four times as large as a leaf, so
 * that trees stay low: to go down one level costs about as much as a search among many children does.
 *
 * <pre>
 *          inner node, up to 104 children
 *     0 +---------------------------+
 *       | group end   [0] ... [11]  |   the last separator of each group of 8 but the last group
 *    96 +---------------------------+
 *       | number of children        |
 *   104 +---------------------------+
 *       | unused                    |
 *   128 +---------------------------+
 *       | separator   [0] ... [102] |   ascending, then NONE, at least once; a group of 8 is a cache line
 *   960 +---------------------------+
 *       | child       [0] ... [103] |   4 bytes each
 *  1376 +---------------------------+
 *       | unused                    |
 *  1408 +---------------------------+
 * </pre>
 *
 * <p>Child i holds the mappings whose first page is at least separator i - 1 and below separator i. Separators bound
 * whole mappings: none begins on one side and ends on the other. So whatever maps a page is in the one leaf that a
 * search for the page comes to.
 *
 * <p>Unused separators are {@link Pages#NONE}, above every page, so that a search looks at all slots and need not know
 * the number of those in use.
 */
final class Node {

    /** Bytes of an inner node. */
    static final long SIZE = 1408;
    /** Most levels of a tree, leaves included; what would need one more counts as full. */
    static final int MAX_LEVELS = 10;

    private static final int GROUP = 8;
    private static final int GROUPS = 13;
    /** Most children of an inner node: as many as there are separators, of which the last is never used. */
    static final int INNER_CAPACITY = GROUPS * GROUP;

    private static final long SLOT_SIZE = Long.BYTES;
    private static final long GROUP_SIZE = GROUP * SLOT_SIZE;
    /** Values that are compared side by side. */
    private static final int LANES = 4;
    private static final long LANES_SIZE = LANES * SLOT_SIZE;
    private static final long CHILD_SIZE = Integer.BYTES;
    private static final long COUNT = (GROUPS - 1) * SLOT_SIZE;
    private static final long FIRST_SEPARATOR = 128;
    private static final long CHILDREN = FIRST_SEPARATOR + INNER_CAPACITY * SLOT_SIZE;

    /** Bytes of a cache line pair, which processors like to fetch together; every node begins at a multiple. */
    static final long ALIGNMENT = 128;

    private Node() {
    }

    // Roots

    /** The word that says where a tree begins: the reference of its topmost node, and how many levels lie below it. */
    static long rootWord(NodeMemory memory, long node, int height) {
        return (long) height << Integer.SIZE | Integer.toUnsignedLong(memory.reference(node));
    }

    static int height(long rootWord) {
        return (int) (rootWord >>> Integer.SIZE);
    }

    static long rootNode(long base, long rootWord) {
        return NodeMemory.node(base, (int) rootWord);
    }

    // Search

    /**
     * The slot of the child that holds what is known about a page: how many separators are at most that, counted
     * without a branch that could be mispredicted, first among the ends of groups, then in the group where the count
     * ends.
     */
    static int childFor(NodeMemory memory, long node, long page) {
        long group = GROUPS - 1 - above(memory, node, (GROUPS - 1) / LANES, page);
        long at = node + FIRST_SEPARATOR + group * GROUP_SIZE;
        return (int) (group * GROUP + GROUP - above(memory, at, GROUP / LANES, page));
    }

    /**
     * How many of some values are above a page, in four sums that do not wait for each other. A loop this short is
     * compiled without a loop; spelled out it would be more than the compiler takes into one method.
     */
    private static long above(NodeMemory memory, long at, int steps, long page) {
        long first = 0;
        long second = 0;
        long third = 0;
        long fourth = 0;
        for (int i = 0; i < steps; i++) {
            long offset = at + i * LANES_SIZE;
            first += isAbove(memory, offset, page);
            second += isAbove(memory, offset + SLOT_SIZE, page);
            third += isAbove(memory, offset + 2 * SLOT_SIZE, page);
            fourth += isAbove(memory, offset + 3 * SLOT_SIZE, page);
        }
        return (first + second) + (third + fourth);
    }

    /** 1 if what is stored at an offset is above a page, else 0. */
    private static long isAbove(NodeMemory memory, long offset, long page) {
        return (page - memory.i64(offset)) >>> (Long.SIZE - 1);
    }

    // What is in them

    static int children(NodeMemory memory, long node) {
        return (int) memory.i64(node + COUNT);
    }

    static long separator(NodeMemory memory, long node, int slot) {
        return memory.i64(separatorAt(node, slot));
    }

    /** Stores a separator of a new node; {@link #close} must follow. */
    static void putSeparator(NodeMemory memory, long node, int slot, long page) {
        memory.putI64(separatorAt(node, slot), page);
    }

    private static long separatorAt(long node, int slot) {
        return node + FIRST_SEPARATOR + slot * SLOT_SIZE;
    }

    /** Where the reference of a child is stored: the one thing in a published node that still changes. */
    static long childAt(long node, int slot) {
        return node + CHILDREN + slot * CHILD_SIZE;
    }

    /** For readers: what the writer wrote before it published the child is visible. */
    static long childAcquire(NodeMemory memory, long base, long node, int slot) {
        return NodeMemory.node(base, memory.i32Acquire(childAt(node, slot)));
    }

    /** For the writer, who is the only one that changes it. */
    static long child(NodeMemory memory, long node, int slot) {
        return memory.node(memory.i32(childAt(node, slot)));
    }

    static void putChild(NodeMemory memory, long node, int slot, long child) {
        memory.putI32(childAt(node, slot), memory.reference(child));
    }

    static void copyChildren(NodeMemory memory, long from, int fromSlot, long to, int toSlot, int count) {
        copy(memory, childAt(from, fromSlot), childAt(to, toSlot), count * CHILD_SIZE);
    }

    static void copySeparators(NodeMemory memory, long from, int fromSlot, long to, int toSlot, int count) {
        copy(memory, separatorAt(from, fromSlot), separatorAt(to, toSlot), count * SLOT_SIZE);
    }

    /** Ends a new node: says how many children it has, marks the slots behind as unused, and notes where groups end. */
    static void close(NodeMemory memory, long node, int children) {
        for (int slot = children - 1; slot < INNER_CAPACITY; slot++) {
            putSeparator(memory, node, slot, Pages.NONE);
        }
        for (int group = 0; group < GROUPS - 1; group++) {
            memory.putI64(node + group * SLOT_SIZE, lastOf(memory, node, group));
        }
        memory.putI64(node + COUNT, children);
    }

    /** Whether the ends of all groups are what they must be. */
    static boolean groupsHold(NodeMemory memory, long node) {
        boolean hold = true;
        for (int group = 0; group < GROUPS - 1; group++) {
            hold &= memory.i64(node + group * SLOT_SIZE) == lastOf(memory, node, group);
        }
        return hold;
    }

    private static long lastOf(NodeMemory memory, long node, int group) {
        return separator(memory, node, group * GROUP + GROUP - 1);
    }

    /** Copies a node as it is. */
    static void copyNode(NodeMemory memory, long from, long to) {
        copy(memory, from, to, SIZE);
    }

    private static void copy(NodeMemory memory, long from, long to, long bytes) {
        memory.copy(from, to, bytes);
    }
}
