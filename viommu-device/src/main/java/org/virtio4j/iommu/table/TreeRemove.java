// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.table;

import org.virtio4j.iommu.table.MappingTable.Removal;

/**
 * How mappings go. Usually that is one store into the slot of each. A range over many leaves is dropped in pieces as
 * large as possible. A subtree that lies inside the range is taken out of its parent at once, highest level first. So
 * the number of changes grows with the height of the tree and not with what is removed.
 *
 * <p>Nodes that have become sparse are joined with a neighbour, so that memory comes back, but only if the two leave
 * room for some insertions. Otherwise a guest that maps and unmaps at the border would make the table split and join
 * all the time.
 */
final class TreeRemove {

    /**
     * A leaf with fewer mappings may be joined with a neighbour, but the two must not have more than that. It looks for
     * one when it becomes sparse and when next to nothing is left, not each time, for looking costs more than removing.
     */
    private static final int LEAF_SPARSE = 5;
    private static final int LEAF_SPARSER = 1;
    private static final int LEAF_JOINED = 12;
    private static final int INNER_SPARSE = 32;
    private static final int INNER_JOINED = 102;

    private static final int REMOVED = 0;
    private static final int NODE = 1;
    private static final int NEXT = NODE + Node.MAX_LEVELS;

    private final NodeSpace space;
    private final NodeMemory memory;
    private final TreePath path;
    private final WriterWords words = new WriterWords(NEXT + Node.MAX_LEVELS);

    TreeRemove(NodeSpace space, TreePath path) {
        this.space = space;
        this.memory = space.memory();
        this.path = path;
    }

    /** How many mappings the latest removal took away. */
    long removed() {
        return words.get(REMOVED);
    }

    boolean wouldSplit(long virtStart, long virtEnd) {
        long firstLeaf = path.leafFor(Pages.of(virtStart));
        long lastLeaf = path.leafFor(Pages.of(virtEnd));
        return Leaf.reaches(memory, firstLeaf, Pages.firstInside(virtStart) - 1, Pages.of(virtStart))
                || Leaf.reaches(memory, lastLeaf, Pages.of(virtEnd), Pages.lastInside(virtEnd) + 1);
    }

    Removal remove(long virtStart, long virtEnd) {
        words.set(REMOVED, 0);
        long first = Pages.firstInside(virtStart);
        long last = Pages.lastInside(virtEnd);
        path.descend(Pages.of(virtStart));
        long leaf = path.leaf();
        int exact = exactly(leaf, virtStart, virtEnd);
        if (exact != 0 && space.hasRoomToRemove()) {
            removeWithin(exact, first);
            return Removal.REMOVED;
        }
        long lastLeaf = Pages.of(virtEnd) < path.fence(0) ? leaf : path.leafFor(Pages.of(virtEnd));
        if (Leaf.reaches(memory, leaf, first - 1, Pages.of(virtStart))
                || Leaf.reaches(memory, lastLeaf, Pages.of(virtEnd), last + 1)) {
            return Removal.WOULD_SPLIT;
        }
        if (!space.hasRoomToRemove()) {
            return Removal.FULL;
        }
        if (lastLeaf == leaf) {
            removeWithin(Leaf.between(memory, leaf, first, last), first);
        } else {
            removeAcross(first, last);
        }
        return Removal.REMOVED;
    }

    /**
     * The slot of a mapping that is just the range, which is what most guests remove; no other can be in the way then.
     */
    private int exactly(long leaf, long virtStart, long virtEnd) {
        long floor = Leaf.floor(memory, leaf, Pages.of(virtStart));
        boolean exact = floor != Leaf.NOTHING && Leaf.distance(floor) == 0
                && Leaf.lastPage(memory, leaf, Leaf.slot(floor)) == Pages.of(virtEnd)
                && Pages.offset(virtStart | ~virtEnd) == 0;
        return exact ? 1 << Leaf.slot(floor) : 0;
    }

    // A range within one leaf

    private void removeWithin(int slots, long page) {
        if (slots == 0) {
            return;
        }
        int before = Leaf.mappings(memory, path.leaf());
        int rest = before - Integer.bitCount(slots);
        takeFromLeaf(slots);
        if (rest == 0) {
            joinSparse(page, Node.MAX_LEVELS);
        } else if (rest < LEAF_SPARSE && (before >= LEAF_SPARSE || rest <= LEAF_SPARSER)) {
            joinSparse(page, 0);
        }
    }

    private void takeFromLeaf(int slots) {
        long leaf = path.leaf();
        words.add(REMOVED, Integer.bitCount(slots));
        if (slots != Leaf.used(memory, leaf)) {
            Leaf.remove(memory, leaf, slots, space.epoch());
        } else if (path.height() == 0) {
            path.publishRoot(space.emptyLeaf(), 0);
            space.retire(leaf);
        } else {
            unlink(1, path.slot(1), path.slot(1) + 1);
            space.retire(leaf);
        }
    }

    // A range over several leaves

    private void removeAcross(long first, long last) {
        do {
            path.descend(first);
        } while (dropRightOfPath(last));
        do {
            path.descend(last);
        } while (dropLeftOfPath(first));
        takeFromLeaves(first, last);
        joinSparse(first, Node.MAX_LEVELS);
        joinSparse(last, Node.MAX_LEVELS);
    }

    /** What is left by now lies in the leaf of the first page and in that of the last. */
    private void takeFromLeaves(long first, long last) {
        long at = first;
        while (at <= last) {
            path.descend(at);
            at = path.fence(0);
            int slots = Leaf.between(memory, path.leaf(), first, last);
            if (slots != 0) {
                takeFromLeaf(slots);
            }
        }
    }

    /** Drops, on the highest level that has any, the children right of the path that end at a page or before it. */
    private boolean dropRightOfPath(long last) {
        for (int level = path.height(); level > 0; level--) {
            int from = path.slot(level) + 1;
            int to = path.fence(level) <= last + 1
                    ? Node.children(memory, path.node(level))
                    : Node.childFor(memory, path.node(level), last + 1);
            if (from < to) {
                drop(level, from, to);
                return true;
            }
        }
        return false;
    }

    /** Drops, on the highest level that has any, the children left of the path that begin at a page or after it. */
    private boolean dropLeftOfPath(long first) {
        long begin = 0;
        for (int level = path.height(); level > 0; level--) {
            long node = path.node(level);
            int from = begin >= first ? 0 : Node.childFor(memory, node, first - 1) + 1;
            int to = path.slot(level);
            if (from < to) {
                drop(level, from, to);
                return true;
            }
            begin = to > 0 ? Node.separator(memory, node, to - 1) : begin;
        }
        return false;
    }

    private void drop(int level, int from, int to) {
        for (int slot = from; slot < to; slot++) {
            words.add(REMOVED, retireTree(Node.child(memory, path.node(level), slot), level - 1));
        }
        unlink(level, from, to);
    }

    // Changes of inner nodes

    /** Takes children out of the path's node of a level; if none remains, that node out of its parent, and so on. */
    private void unlink(int level, int from, int to) {
        long node = path.node(level);
        if (to - from < Node.children(memory, node)) {
            path.replace(level, without(node, from, to));
            space.retire(node);
            lowerRoot();
        } else if (level == path.height()) {
            path.publishRoot(space.emptyLeaf(), 0);
            space.retire(node);
        } else {
            unlink(level + 1, path.slot(level + 1), path.slot(level + 1) + 1);
            space.retire(node);
        }
    }

    /**
     * A new inner node that lacks some children; the pages of those go to the child before, or to the first that is
     * left.
     */
    private long without(long node, int from, int to) {
        long rest = space.allocateInner();
        Node.copyWithout(memory, node, rest, from, to);
        return rest;
    }

    /** A root with one child only gives way to that child. */
    private void lowerRoot() {
        int height = path.height();
        long node = path.node(height);
        while (height > 0 && Node.children(memory, node) == 1) {
            space.retire(node);
            node = Node.child(memory, node, 0);
            height--;
        }
        if (height < path.height()) {
            path.publishRoot(node, height);
        }
    }

    /** Joins sparse nodes on the way to a page, from the leaf up to {@code levels}, and on as long as there are any. */
    private void joinSparse(long page, int levels) {
        path.descend(page);
        for (int level = 0; level < path.height(); level++) {
            boolean joined = isSparse(level) && joinWithNeighbour(level);
            if (!joined && level >= levels) {
                return;
            }
            path.descend(page);
        }
    }

    private boolean isSparse(int level) {
        return count(path.node(level), level) < (level == 0 ? LEAF_SPARSE : INNER_SPARSE);
    }

    private int count(long node, int level) {
        return level == 0 ? Leaf.mappings(memory, node) : Node.children(memory, node);
    }

    private boolean joinWithNeighbour(int level) {
        int slot = path.slot(level + 1);
        if (slot > 0 && canJoin(level, slot - 1)) {
            slot--;
        } else if (slot + 1 == Node.children(memory, path.node(level + 1)) || !canJoin(level, slot)) {
            return false;
        }
        join(level, slot);
        return true;
    }

    /** Whether the child in a slot of the node above and the next one fit in a node and leave room in it. */
    private boolean canJoin(int level, int slot) {
        long parent = path.node(level + 1);
        int together = count(Node.child(memory, parent, slot), level)
                + count(Node.child(memory, parent, slot + 1), level);
        return together <= (level == 0 ? LEAF_JOINED : INNER_JOINED);
    }

    private void join(int level, int slot) {
        long parent = path.node(level + 1);
        long left = Node.child(memory, parent, slot);
        long right = Node.child(memory, parent, slot + 1);
        long rest = without(parent, slot + 1, slot + 2);
        Node.putChild(memory, rest, slot, level == 0
                ? joinLeaves(left, right)
                : joinInner(left, Node.separator(memory, parent, slot), right));
        path.replace(level + 1, rest);
        space.retire(left);
        space.retire(right);
        space.retire(parent);
        lowerRoot();
    }

    private long joinLeaves(long left, long right) {
        long joined = space.allocateLeaf();
        Leaf.copyWith(memory, left, joined, Leaf.used(memory, left));
        Leaf.appendAll(memory, joined, right);
        return joined;
    }

    private long joinInner(long left, long separator, long right) {
        int children = Node.children(memory, left);
        int more = Node.children(memory, right);
        long joined = space.allocateInner();
        Node.copy(memory, left, 0, joined, 0, children);
        Node.putSeparator(memory, joined, children - 1, separator);
        Node.copy(memory, right, 0, joined, children, more);
        Node.close(memory, joined, children + more);
        return joined;
    }

    // Whole trees

    /** Empties the tree, whose mappings somebody else has counted. */
    void removeAll() {
        path.descend(0);
        long top = path.node(path.height());
        int height = path.height();
        path.publishRoot(space.emptyLeaf(), 0);
        retireTree(top, height);
    }

    /** Retires a subtree that nothing refers to any more and counts its mappings. */
    private long retireTree(long top, int height) {
        long mappings = 0;
        int level = height;
        words.set(NODE + level, top);
        words.set(NEXT + level, 0);
        while (level <= height) {
            long node = words.get(NODE + level);
            int next = (int) words.get(NEXT + level);
            if (level > 1 && next < Node.children(memory, node)) {
                words.set(NEXT + level, next + 1);
                level--;
                words.set(NODE + level, Node.child(memory, node, next));
                words.set(NEXT + level, 0);
            } else {
                mappings += level > 1 ? 0 : retireBelow(node, level);
                space.retire(node);
                level++;
            }
        }
        return mappings;
    }

    private long retireBelow(long node, int level) {
        if (level == 0) {
            return Leaf.mappings(memory, node);
        }
        int children = Node.children(memory, node);
        long mappings = 0;
        for (int slot = 0; slot < children; slot++) {
            mappings += Leaf.mappings(memory, Node.child(memory, node, slot));
        }
        space.retireLeaves(node, 0, children);
        return mappings;
    }
}
