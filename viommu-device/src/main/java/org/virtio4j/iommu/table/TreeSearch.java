// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.table;

import org.virtio4j.dma.translate.ExtentSink;
import org.virtio4j.iommu.table.MappingTable.Lookup;

/**
 * What a reader does. It loads the root word and then one child reference a level, each with acquire, so that it sees
 * nodes as they were when they were published. Of the leaf it loads first pages, and after a fence what belongs to the
 * one it chose, which does not change while it may be looked at. Whatever the writer does meanwhile, this way leads to
 * the one leaf in which the address is mapped, or was when the search began, or is by now.
 */
final class TreeSearch {

    /** READ and WRITE; what is left of the flags says nothing about an access. */
    private static final int ACCESS_FLAGS = 3;

    private TreeSearch() {
    }

    static Lookup find(NodeMemory memory, long rootAt, long iova, int required, ExtentSink out) {
        long page = Pages.of(iova);
        long leaf = leafFor(memory, rootAt, page);
        long floor = Leaf.floor(memory, leaf, page);
        if (floor == Leaf.NOTHING) {
            return Lookup.ABSENT;
        }
        int slot = Leaf.slot(floor);
        long lastPage = Leaf.lastPage(memory, leaf, slot);
        if (lastPage < page) {
            return Lookup.ABSENT;
        }
        long target = Leaf.target(memory, leaf, slot);
        if ((target & required) != required) {
            return Lookup.DENIED;
        }
        out.extent(Pages.start(page - Leaf.distance(floor)), Pages.end(lastPage), Leaf.physStart(target),
                Leaf.flags(target) & ACCESS_FLAGS);
        return Lookup.FOUND;
    }

    static long leafFor(NodeMemory memory, long rootAt, long page) {
        long base = memory.base();
        // In bounds, all the way down: the root word is a node of the table's own until it is discarded, and
        // NodeMemory.node says why what follows leads from node to node. Node.placeFor and Leaf.floor stay in theirs.
        long root = memory.i64Acquire(rootAt);
        long node = Node.rootNode(base, root);
        for (int level = Node.height(root); level > 0; level--) {
            node = Node.childAcquire(memory, base, Node.placeFor(memory, node, page));
        }
        return node;
    }
}
