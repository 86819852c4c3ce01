// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.table;

import org.virtio4j.iommu.table.MappingTable.Insertion;

/**
 * How a mapping comes in. Usually that is one store into a free slot of its leaf. A full leaf becomes two, in a new
 * parent; a full parent becomes two as well, and so on; whatever the number of new nodes, one store publishes them.
 *
 * <p>A leaf that is full because its guest maps one address after the other is not cut in the middle but where the run
 * is, so that the run fills whole leaves. Linux hands addresses out from the top down, others from the bottom up, and
 * several processors at the same time.
 */
final class TreeInsert {

    /** How many insertions are remembered, to recognise that many runs that go on at the same time. */
    private static final int RECENT = 16;
    private static final int INSERTIONS = RECENT;
    private static final int LEAF_HALF = (Leaf.CAPACITY + 1) / 2;
    private static final int LEAF_LEAST = 3;
    private static final int INNER_HALF = (Node.INNER_CAPACITY + 1) / 2;
    /** All children but the new one to the right, or to the left. */
    private static final int KEEP_LEFT = Node.INNER_CAPACITY;
    private static final int KEEP_RIGHT = 1;

    private final NodeSpace space;
    private final NodeMemory memory;
    private final TreePath path;
    private final SortedMappings sorted;
    private final WriterWords words = new WriterWords(RECENT + 1);

    TreeInsert(NodeSpace space, TreePath path, SortedMappings sorted) {
        this.space = space;
        this.memory = space.memory();
        this.path = path;
        this.sorted = sorted;
    }

    boolean overlaps(long firstPage, long lastPage) {
        path.descend(firstPage);
        return collides(firstPage, lastPage);
    }

    Insertion insert(long firstPage, long lastPage, long target) {
        path.descend(firstPage);
        if (collides(firstPage, lastPage)) {
            return Insertion.OVERLAP;
        }
        long leaf = path.leaf();
        boolean within = lastPage < path.fence(0) && leaf != space.emptyLeaf();
        if (!within || !Leaf.insert(memory, leaf, firstPage, lastPage, target, space.epoch())) {
            if (!space.hasRoomToInsert() || isHighestPossible()) {
                return Insertion.FULL;
            }
            insertIntoNew(leaf, firstPage, lastPage, target);
        }
        remember(firstPage);
        return Insertion.INSERTED;
    }

    /** When the leaf has no slot that can be used, or does not end where it must. */
    private void insertIntoNew(long leaf, long firstPage, long lastPage, long target) {
        if (lastPage >= path.fence(0)) {
            moveFence(lastPage + 1);
        }
        if (Leaf.mappings(memory, leaf) == Leaf.CAPACITY) {
            splitLeaf(leaf, firstPage, lastPage, target);
            return;
        }
        long fresh = space.allocateLeaf();
        Leaf.copyWith(memory, leaf, fresh, Leaf.used(memory, leaf));
        Leaf.append(memory, fresh, firstPage, lastPage, target);
        path.replace(0, fresh);
        space.retire(leaf);
    }

    /** Whether a range meets a mapping of the path's leaf, or the first of the next leaf. */
    private boolean collides(long firstPage, long lastPage) {
        return Leaf.reaches(memory, path.leaf(), lastPage, firstPage)
                || (lastPage >= path.fence(0) && Leaf.lowest(memory, path.leafFor(path.fence(0))) <= lastPage);
    }

    /** Whether a split might need a level more than a path has room for. */
    private boolean isHighestPossible() {
        int height = path.height();
        return height == Node.MAX_LEVELS - 1
                && Node.children(memory, path.node(height)) == Node.INNER_CAPACITY;
    }

    /**
     * Moves the end of the path's leaf up, because a mapping will reach beyond it. Nothing is mapped between the old
     * end and the new one, so that readers who still see the old one, and look in the next leaf, get the right answer.
     */
    private void moveFence(long page) {
        int level = 1;
        while (path.fence(level) == path.fence(0)) {
            level++;
        }
        long old = path.node(level);
        long moved = space.allocateInner();
        Node.copyNode(memory, old, moved);
        Node.putSeparator(memory, moved, path.slot(level), page);
        path.replace(level, moved);
        space.retire(old);
    }

    // Leaves

    private void splitLeaf(long leaf, long firstPage, long lastPage, long target) {
        sorted.load(leaf);
        int at = sorted.below(firstPage);
        boolean downward = at < Leaf.CAPACITY && isRecent(sorted.first(at));
        boolean upward = at > 0 && isRecent(sorted.first(at - 1));
        boolean meeting = downward && upward;
        if (meeting) {
            // Two runs come towards each other here; the nearer neighbour is of the same run.
            downward = sorted.first(at) - firstPage < firstPage - sorted.first(at - 1);
            upward = !downward;
        }
        int cut = upward ? cutAt(at + 1) : downward ? cutAt(at) : LEAF_HALF;
        // The new mapping counts: it is the one at its place, and those behind it move up by one.
        int leftCount = at < cut ? cut - 1 : cut;
        int leftSlots = sorted.lowestSlots(leftCount);
        long left = leafPart(leaf, leftSlots, at < cut);
        long right = leafPart(leaf, Leaf.used(memory, leaf) & ~leftSlots, at >= cut);
        Leaf.append(memory, at < cut ? left : right, firstPage, lastPage, target);
        long afterLeft = (at == cut - 1 ? lastPage : sorted.last(leftCount - 1)) + 1;
        long firstRight = at == cut ? firstPage : sorted.first(leftCount);
        // The gap between the two goes to the side where the next mapping of the run will come; two runs share it.
        grow(left, meeting ? (afterLeft + firstRight) >>> 1 : downward ? afterLeft : firstRight, right);
    }

    /**
     * How many mappings stay left when a run ends there. If the leaf has nothing else, it stays as it is, and the run
     * gets a new leaf. Otherwise at least a few mappings move along, or a guest could make leaves of one mapping each.
     */
    private static int cutAt(int slot) {
        if (slot == 0) {
            return 1;
        }
        return slot > Leaf.CAPACITY
                ? Leaf.CAPACITY : Math.clamp(slot, LEAF_LEAST, Leaf.CAPACITY + 1 - LEAF_LEAST);
    }

    /** Some mappings of a full leaf as a new leaf, or the old leaf if it is all of them and none comes in. */
    private long leafPart(long leaf, int slots, boolean grows) {
        if (Integer.bitCount(slots) == Leaf.CAPACITY && !grows) {
            return leaf;
        }
        long part = space.allocateLeaf();
        Leaf.copyWith(memory, leaf, part, slots);
        return part;
    }

    private void remember(long firstPage) {
        long insertions = words.get(INSERTIONS);
        words.set((int) insertions & (RECENT - 1), firstPage);
        words.set(INSERTIONS, insertions + 1);
    }

    private boolean isRecent(long firstPage) {
        boolean recent = false;
        for (int i = 0; i < RECENT; i++) {
            recent |= words.get(i) == firstPage;
        }
        return recent;
    }

    // Inner nodes

    /** Publishes two nodes where the path has its leaf, splitting inner nodes as far up as needed. */
    private void grow(long left, long separator, long right) {
        int level = 0;
        while (level < path.height() && Node.children(memory, path.node(level + 1)) == Node.INNER_CAPACITY) {
            retireUnlessKept(path.node(level), left, right);
            long node = path.node(level + 1);
            int slot = path.slot(level + 1);
            int cut = cutOf(slot, path.node(level), left, right);
            long upperLeft = cut == KEEP_LEFT
                    ? node : innerPart(node, 0, cut, slot, left, separator, right);
            long upperRight = cut == KEEP_RIGHT
                    ? node : innerPart(node, cut, Node.INNER_CAPACITY + 1, slot, left, separator, right);
            separator = separatorAt(cut - 1, node, slot, separator);
            left = upperLeft;
            right = upperRight;
            level++;
        }
        retireUnlessKept(path.node(level), left, right);
        publish(level, left, separator, right);
    }

    private void publish(int level, long left, long separator, long right) {
        if (level < path.height()) {
            long node = path.node(level + 1);
            long wider = space.allocateInner();
            Node.copyWider(memory, node, wider, path.slot(level + 1), left, separator, right);
            path.replace(level + 1, wider);
            space.retire(node);
        } else {
            long root = space.allocateInner();
            Node.putChild(memory, root, 0, left);
            Node.putSeparator(memory, root, 0, separator);
            Node.putChild(memory, root, 1, right);
            Node.close(memory, root, 2);
            path.publishRoot(root, level + 1);
        }
    }

    private void retireUnlessKept(long node, long left, long right) {
        if (node != left && node != right) {
            space.retire(node);
        }
    }

    /** How many children stay left. At the end of a run that kept the child whole, the node is kept whole as well. */
    private static int cutOf(int slot, long child, long left, long right) {
        if (left == child && slot == Node.INNER_CAPACITY - 1) {
            return KEEP_LEFT;
        }
        return right == child && slot == 0 ? KEEP_RIGHT : INNER_HALF;
    }

    /**
     * A new node with part of what an inner node would be with two children instead of the one in {@code slot}.
     *
     * @param from first slot of the part, counted with both children in place
     * @param to   the slot after the last
     */
    private long innerPart(long node, int from, int to, int slot, long left, long separator, long right) {
        long part = space.allocateInner();
        int before = Math.clamp(slot, from, to);
        int after = Math.clamp(slot + 2, from, to);
        Node.copy(memory, node, from, part, 0, before - from);
        Node.copy(memory, node, after - 1, part, after - from, to - after);
        for (int added = before; added < after; added++) {
            Node.putChild(memory, part, added - from, added == slot ? left : right);
            Node.putSeparator(memory, part, added - from, separatorAt(added, node, slot, separator));
        }
        Node.close(memory, part, to - from);
        return part;
    }

    /** The separator after a slot, counted with the two children in place. */
    private long separatorAt(int at, long node, int slot, long separator) {
        return at == slot ? separator : Node.separator(memory, node, at < slot ? at : at - 1);
    }
}
