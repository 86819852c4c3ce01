// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.table;


/**
 * What an inner node looks like; {@link Leaf} has the nodes below. An inner node is four times as large as a leaf, so
 * that trees stay low: to go down one level costs about as much as a search among many children does.
 *
 * <pre>
 *          inner node, up to 120 children in groups of 6
 *     0 +---------------------------+
 *       | separator [5] ... [119]   |   behind each group; the last is never used
 *   160 +---------------------------+
 *       | number of children        |
 *   168 +---------------------------+
 *       | unused                    |
 *   192 +---------------------------+
 *       | separator   [0] ... [4]   |   a group is a cache line
 *       | child       [0] ... [5]   |   4 bytes each
 *   256 +---------------------------+
 *       | separator   [6] ... [10]  |
 *       | child       [6] ... [11]  |
 *       |     ...                   |
 *  1472 +---------------------------+
 * </pre>
 *
 * <p>Child i holds the mappings whose first page is at least separator i - 1 and below separator i. Separators bound
 * whole mappings: none begins on one side and ends on the other. So whatever maps a page is in the one leaf that a
 * search for the page comes to.
 *
 * <p>Unused separators are {@link Pages#NONE}, above every page, so that a search need not know the number of those in
 * use. It compares twelve, in three steps, and the last step's cache line has the child in it.
 */
final class Node {

    /** Bytes of an inner node. */
    static final long SIZE = 1472;
    /** Most levels of a tree, leaves included; what would need one more counts as full. */
    static final int MAX_LEVELS = 10;

    private static final int GROUP = 6;
    private static final int GROUPS = 20;
    /** Most children of an inner node: as many as there are separators, of which the last is never used. */
    static final int INNER_CAPACITY = GROUPS * GROUP;

    private static final long SLOT_SIZE = Long.BYTES;
    private static final long CHILD_SIZE = Integer.BYTES;
    private static final long COUNT = GROUPS * SLOT_SIZE;
    private static final long FIRST_GROUP = 192;
    private static final int GROUP_SHIFT = 6;
    private static final long GROUP_SIZE = 1 << GROUP_SHIFT;
    /** Where a group has its children. */
    private static final long CHILDREN = (GROUP - 1) * SLOT_SIZE;
    /** Groups between two separators that the first step of a search compares. */
    private static final int STRIDE = 4;
    private static final int STRIDES = GROUPS / STRIDE;
    private static final long STRIDE_SIZE = STRIDE * SLOT_SIZE;

    /** Bytes of a cache line pair, which processors like to fetch together; every leaf begins at a multiple. */
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
     * Where the reference of the child is stored that holds what is known about a page: behind as many separators as
     * are at most that page, counted without a branch that could be mispredicted. First every fourth of those between
     * groups, then the three that follow, then those of the group.
     *
     * <p>In bounds: each of the three counts is at most the number of comparisons of its loop, whatever is compared, so
     * that stride, group and child are at most the last of each.
     *
     * <p>Loops this short are compiled without a loop. Spelled out they would be more than the compiler takes into one
     * method; in a method of their own they would be deeper than it goes.
     */
    static long placeFor(NodeMemory memory, long node, long page) {
        long above = 0;
        for (int i = 1; i < STRIDES; i++) {
            above += (page - memory.i64(node + i * STRIDE_SIZE - SLOT_SIZE)) >>> (Long.SIZE - 1);
        }
        long stride = STRIDES - 1 - above;
        above = 0;
        for (int i = 0; i < STRIDE - 1; i++) {
            above += (page - memory.i64(node + stride * STRIDE_SIZE + i * SLOT_SIZE)) >>> (Long.SIZE - 1);
        }
        long at = node + FIRST_GROUP + (stride * STRIDE + STRIDE - 1 - above) * GROUP_SIZE;
        above = 0;
        for (int i = 0; i < GROUP - 1; i++) {
            above += (page - memory.i64(at + i * SLOT_SIZE)) >>> (Long.SIZE - 1);
        }
        return at + CHILDREN + (GROUP - 1 - above) * CHILD_SIZE;
    }

    static int childFor(NodeMemory memory, long node, long page) {
        return slot(node, placeFor(memory, node, page));
    }

    /** Which child has its reference at a place. */
    static int slot(long node, long place) {
        return (int) (groupOf(node, place) * GROUP + within(place) / CHILD_SIZE);
    }

    static boolean isFirst(long node, long place) {
        return place == childAt(node, 0);
    }

    /** The separator before a child that is not the first. */
    static long before(NodeMemory memory, long node, long place) {
        // In bounds: not the first child, so that there is a separator before it, in its group or behind the last.
        long inGroup = separatorNear(place) - SLOT_SIZE;
        long behindGroup = node + (groupOf(node, place) - 1) * SLOT_SIZE;
        return memory.i64(select(within(place) - 1, behindGroup, inGroup));
    }

    /** The separator behind a child; NONE if it is the last. */
    static long behind(NodeMemory memory, long node, long place) {
        // In bounds: every child has a separator behind it, the last child of a group behind the group.
        long inGroup = separatorNear(place);
        long behindGroup = node + groupOf(node, place) * SLOT_SIZE;
        return memory.i64(select((GROUP - 1) * CHILD_SIZE - 1 - within(place), behindGroup, inGroup));
    }

    private static long groupOf(long node, long place) {
        return (place - node - FIRST_GROUP) >>> GROUP_SHIFT;
    }

    /** Bytes from the first reference of a group to a place. */
    private static long within(long place) {
        return (place & (GROUP_SIZE - 1)) - CHILDREN;
    }

    /** Where the separator is that has the number of a child, as long as the group has it. */
    private static long separatorNear(long place) {
        return (place & -GROUP_SIZE) + within(place) * (SLOT_SIZE / CHILD_SIZE);
    }

    /** One offset if a number is negative, else the other; a branch would be mispredicted every sixth time. */
    private static long select(long number, long negative, long other) {
        return other ^ ((negative ^ other) & (number >> (Long.SIZE - 1)));
    }

    // What is in them

    static int children(NodeMemory memory, long node) {
        return (int) memory.i64(node + COUNT);
    }

    static long separator(NodeMemory memory, long node, int slot) {
        return memory.i64(separatorAt(node, slot));
    }

    /** Stores a separator of a new node. */
    static void putSeparator(NodeMemory memory, long node, int slot, long page) {
        memory.putI64(separatorAt(node, slot), page);
    }

    private static long separatorAt(long node, int slot) {
        return separatorAt(node, slot / GROUP, slot % GROUP);
    }

    private static long separatorAt(long node, int group, int within) {
        // In bounds: slots are counted up to a number of children, which is at most INNER_CAPACITY; childAt counts the
        // same way.
        return within == GROUP - 1 ? node + group * SLOT_SIZE : groupAt(node, group) + within * SLOT_SIZE;
    }

    /** Where the reference of a child is stored: the one thing in a published node that still changes. */
    static long childAt(long node, int slot) {
        return childAt(node, slot / GROUP, slot % GROUP);
    }

    private static long childAt(long node, int group, int within) {
        return groupAt(node, group) + CHILDREN + within * CHILD_SIZE;
    }

    private static long groupAt(long node, int group) {
        return node + FIRST_GROUP + group * GROUP_SIZE;
    }

    /** For readers: what the writer wrote before it published the child is visible. */
    static long childAcquire(NodeMemory memory, long base, long place) {
        return NodeMemory.node(base, memory.i32Acquire(place));
    }

    /** For the writer, who is the only one that changes it. */
    static long child(NodeMemory memory, long node, int slot) {
        return childAt(memory, childAt(node, slot));
    }

    static long childAt(NodeMemory memory, long place) {
        return memory.node(memory.i32(place));
    }

    static void putChild(NodeMemory memory, long node, int slot, long child) {
        memory.putI32(childAt(node, slot), memory.reference(child));
    }

    /** Copies children, each with the separator behind it, to a new node. */
    static void copy(NodeMemory memory, long from, int fromSlot, long to, int toSlot, int count) {
        int source = fromSlot % GROUP;
        int target = toSlot % GROUP;
        int sourceGroup = fromSlot / GROUP;
        int targetGroup = toSlot / GROUP;
        for (int i = 0; i < count; i++) {
            memory.putI32(childAt(to, targetGroup, target), memory.i32(childAt(from, sourceGroup, source)));
            memory.putI64(separatorAt(to, targetGroup, target), memory.i64(separatorAt(from, sourceGroup, source)));
            source++;
            target++;
            // Without a division, and what depends on these numbers comes one after the other.
            sourceGroup += source == GROUP ? 1 : 0;
            targetGroup += target == GROUP ? 1 : 0;
            source = source == GROUP ? 0 : source;
            target = target == GROUP ? 0 : target;
        }
    }

    /** Ends a new node: says how many children it has, and marks the separators behind as unused. */
    static void close(NodeMemory memory, long node, int children) {
        for (int slot = children - 1; slot < INNER_CAPACITY; slot++) {
            putSeparator(memory, node, slot, Pages.NONE);
        }
        memory.putI64(node + COUNT, children);
    }

    /** Copies a node as it is. */
    static void copyNode(NodeMemory memory, long from, long to) {
        memory.copy(from, to, SIZE);
    }

    /** Copies a node that has room for one child more, with two children in place of the one in a slot. */
    static void copyWider(NodeMemory memory, long from, long to, int slot, long left, long separator, long right) {
        int children = children(memory, from);
        copyNode(memory, from, to);
        copy(memory, from, slot, to, slot + 1, children - slot);
        putChild(memory, to, slot, left);
        putSeparator(memory, to, slot, separator);
        putChild(memory, to, slot + 1, right);
        memory.putI64(to + COUNT, children + 1);
    }

    /**
     * Copies a node without some children, but not all; their pages go to the child before, or to the first that is
     * left.
     */
    static void copyWithout(NodeMemory memory, long from, long to, int firstGone, int next) {
        int children = children(memory, from);
        int left = children - (next - firstGone);
        copyNode(memory, from, to);
        copy(memory, from, next, to, firstGone, children - next);
        if (firstGone > 0) {
            putSeparator(memory, to, firstGone - 1, separator(memory, from, next - 1));
        }
        for (int slot = left; slot < children; slot++) {
            putSeparator(memory, to, slot - 1, Pages.NONE);
        }
        memory.putI64(to + COUNT, left);
    }
}
