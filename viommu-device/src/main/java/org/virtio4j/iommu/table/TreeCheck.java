// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.table;

import java.util.HashSet;
import java.util.Set;

/** Walks a whole tree and throws at the first thing that is not as {@link Node} and {@link MappingTable} say. */
final class TreeCheck {

    private final NodeSpace space;
    private final NodeMemory memory;
    private final long rootWord;
    private final SortedMappings sorted;
    private final Set<Long> nodes = new HashSet<>();
    private long mappings;
    private long nextFree;

    TreeCheck(NodeSpace space, long rootWord) {
        this.space = space;
        this.memory = space.memory();
        this.rootWord = rootWord;
        this.sorted = new SortedMappings(memory);
    }

    /** Checks all and returns the number of nodes. */
    long check(long size) {
        long root = Node.rootNode(memory.base(), rootWord);
        int height = Node.height(rootWord);
        if (root == space.emptyLeaf()) {
            require(height == 0 && Leaf.mappings(memory, root) == 0, "the empty leaf holds something", root);
        } else {
            require(height < Node.MAX_LEVELS, "the tree is too high", root);
            require(height == 0 || Node.children(memory, root) > 1, "the root has one child only", root);
            checkNode(root, height, 0, Pages.COUNT);
        }
        require(mappings == size, "mappings=" + mappings + " but size=" + size, root);
        space.requireHeld(nodes);
        return nodes.size();
    }

    /** Checks a subtree that holds the pages from {@code begin} up to, not including, {@code fence}. */
    private void checkNode(long node, int level, long begin, long fence) {
        require(nodes.add(node), "a node has two parents", node);
        if (level == 0) {
            checkLeaf(node, begin, fence);
        } else {
            checkInner(node, level, begin, fence);
        }
    }

    private void checkLeaf(long leaf, long begin, long fence) {
        int used = Leaf.used(memory, leaf);
        require(used != 0, "a leaf is empty", leaf);
        for (int slot = 0; slot < Leaf.CAPACITY; slot++) {
            boolean holds = Leaf.firstPage(memory, leaf, slot) != Pages.NONE;
            require(holds == (((used >>> slot) & 1) != 0), "slot " + slot + " and used=" + used + " disagree", leaf);
        }
        sorted.load(leaf);
        for (int i = 0; i < sorted.count(); i++) {
            checkMapping(leaf, sorted.first(i), sorted.last(i), begin, fence);
        }
        mappings += sorted.count();
    }

    private void checkMapping(long leaf, long first, long last, long begin, long fence) {
        require(first >= begin && last < fence, "page " + first + " lies outside the range of its leaf", leaf);
        require(first <= last, "page " + first + " is inverted", leaf);
        require(first >= nextFree, "page " + first + " overlaps the mapping before", leaf);
        nextFree = last + 1;
    }

    private void checkInner(long node, int level, long begin, long fence) {
        int count = Node.children(memory, node);
        require(count > 0 && count <= Node.INNER_CAPACITY, "children=" + count, node);
        long from = begin;
        for (int slot = 0; slot < Node.INNER_CAPACITY; slot++) {
            long separator = Node.separator(memory, node, slot);
            if (slot < count - 1) {
                require(separator > from && separator < fence, "separator " + slot + " is out of order", node);
                checkNode(Node.child(memory, node, slot), level - 1, from, separator);
                from = separator;
            } else {
                require(separator == Pages.NONE, "unused separator " + slot + " holds page " + separator, node);
            }
        }
        checkNode(Node.child(memory, node, count - 1), level - 1, from, fence);
    }

    private static void require(boolean holds, String broken, long node) {
        if (!holds) {
            throw new IllegalStateException(broken + " at node offset=" + node);
        }
    }
}
