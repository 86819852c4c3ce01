// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.table;

import java.lang.foreign.MemorySegment;
import org.virtio4j.vmm.LittleEndian;

/**
 * What a node looks like, and what is in those above the leaves; {@link Leaf} has the rest. All nodes have the same
 * size, so that any freed node serves for any new one:
 *
 * <pre>
 *          inner node, up to 31 children
 *     0 +---------------------------+
 *       | separator   [0] ... [29]  |   ascending, then NONE
 *   248 +---------------------------+
 *       | number of children        |
 *   256 +---------------------------+
 *       | child       [0] ... [30]  |   4 bytes each
 *   380 +---------------------------+
 *       | unused                    |
 *   384 +---------------------------+
 * </pre>
 *
 * <p>Child i holds the mappings whose first page is at least separator i - 1 and below separator i. Separators bound
 * whole mappings: none begins on one side and ends on the other. So whatever maps a page is in the one leaf that a
 * search for the page comes to.
 *
 * <p>Unused separators are {@link Pages#NONE}, above every page, so that a search looks at all slots and need not know
 * the number of those in use.
 *
 * <p>Nodes are named in two ways: by their offset in the segment, in bytes, and in memory by their reference, which is
 * that offset in units of 128 bytes and fits 32 bits.
 */
final class Node {

    private static final int SLOTS = 32;
    private static final long SLOT_SIZE = Long.BYTES;
    private static final long CHILD_SIZE = Integer.BYTES;

    /** Bytes of a node. */
    static final long SIZE = SLOTS * (SLOT_SIZE + CHILD_SIZE);
    /** Most children of an inner node. */
    static final int INNER_CAPACITY = SLOTS - 1;
    /** Most levels of a tree, leaves included; what would need one more counts as full. */
    static final int MAX_LEVELS = 10;

    private static final long COUNT = INNER_CAPACITY * SLOT_SIZE;
    private static final long CHILDREN = SLOTS * SLOT_SIZE;

    /** Bytes of a cache line pair, which processors like to fetch together; every node begins at a multiple. */
    static final long ALIGNMENT = 128;
    private static final int REFERENCE_SHIFT = 7;

    /** Slots that lie in one cache line of pages. */
    private static final int GROUP = 8;
    private static final long GROUP_SIZE = GROUP * SLOT_SIZE;

    private Node() {
    }

    // Names of nodes and of roots

    static long offset(int reference) {
        return Integer.toUnsignedLong(reference) << REFERENCE_SHIFT;
    }

    static int reference(long node) {
        return (int) (node >>> REFERENCE_SHIFT);
    }

    /** The word that says where a tree begins: the reference of its topmost node, and how many levels lie below it. */
    static long rootWord(long node, int height) {
        return (long) height << Integer.SIZE | Integer.toUnsignedLong(reference(node));
    }

    static int height(long rootWord) {
        return (int) (rootWord >>> Integer.SIZE);
    }

    static long rootNode(long rootWord) {
        return offset((int) rootWord);
    }

    // Search

    /** The slot of the child that holds what is known about a page. */
    static int childFor(MemorySegment segment, long node, long page) {
        return slotsUpTo(segment, node, page);
    }

    /**
     * Counts the slots that are at most {@code page}, without a branch that could be mispredicted: first whole cache
     * lines, by their last slot, then slots within the line where the count ends. The last slot of all is never read.
     */
    private static int slotsUpTo(MemorySegment segment, long node, long page) {
        long above = page + 1;
        long lines = 0;
        for (int line = 0; line < SLOTS / GROUP - 1; line++) {
            lines += below(segment, node + (line + 1) * GROUP_SIZE - SLOT_SIZE, above);
        }
        long at = node + lines * GROUP_SIZE;
        return (int) (lines * GROUP + below(segment, at, above) + below(segment, at + 8, above)
                + below(segment, at + 16, above) + below(segment, at + 24, above) + below(segment, at + 32, above)
                + below(segment, at + 40, above) + below(segment, at + 48, above));
    }

    /** 1 if the page at an offset is below another, else 0. */
    private static long below(MemorySegment segment, long offset, long page) {
        return (LittleEndian.i64(segment, offset) - page) >>> (Long.SIZE - 1);
    }

    // Inner nodes

    static int children(MemorySegment segment, long node) {
        return (int) LittleEndian.i64(segment, node + COUNT);
    }

    static long separator(MemorySegment segment, long node, int slot) {
        return LittleEndian.i64(segment, node + slot * SLOT_SIZE);
    }

    static void putSeparator(MemorySegment segment, long node, int slot, long page) {
        LittleEndian.putI64(segment, node + slot * SLOT_SIZE, page);
    }

    /** Where the reference of a child is stored: the one thing in a published node that still changes. */
    static long childAt(long node, int slot) {
        return node + CHILDREN + slot * CHILD_SIZE;
    }

    /** For readers: what the writer wrote before it published the child is visible. */
    static long childAcquire(MemorySegment segment, long node, int slot) {
        return offset(LittleEndian.i32Acquire(segment, childAt(node, slot)));
    }

    /** For the writer, who is the only one that changes it. */
    static long child(MemorySegment segment, long node, int slot) {
        return offset(LittleEndian.i32(segment, childAt(node, slot)));
    }

    static void putChild(MemorySegment segment, long node, int slot, long child) {
        LittleEndian.putI32(segment, childAt(node, slot), reference(child));
    }

    static void copyChildren(MemorySegment segment, long from, int fromSlot, long to, int toSlot, int count) {
        copy(segment, childAt(from, fromSlot), childAt(to, toSlot), count * CHILD_SIZE);
    }

    static void copySeparators(MemorySegment segment, long from, int fromSlot, long to, int toSlot, int count) {
        copy(segment, from + fromSlot * SLOT_SIZE, to + toSlot * SLOT_SIZE, count * SLOT_SIZE);
    }

    /** Ends a new inner node: says how many children it has, and marks the slots behind as unused. */
    static void closeInner(MemorySegment segment, long node, int children) {
        for (int slot = children - 1; slot < INNER_CAPACITY; slot++) {
            LittleEndian.putI64(segment, node + slot * SLOT_SIZE, Pages.NONE);
        }
        LittleEndian.putI64(segment, node + COUNT, children);
    }

    /** Copies a node as it is. */
    static void copyNode(MemorySegment segment, long from, long to) {
        copy(segment, from, to, SIZE);
    }

    private static void copy(MemorySegment segment, long from, long to, long bytes) {
        MemorySegment.copy(segment, from, segment, to, bytes);
    }
}
