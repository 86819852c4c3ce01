// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.table;

import java.lang.foreign.MemorySegment;
import org.virtio4j.iommu.table.MappingTable.Lookup;
import org.virtio4j.vmm.ExtentSink;
import org.virtio4j.vmm.LittleEndian;

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

    static Lookup find(MemorySegment segment, long rootAt, long address, int required, ExtentSink out) {
        long page = Pages.of(address);
        long leaf = leafFor(segment, rootAt, page);
        long floor = Leaf.floor(segment, leaf, page);
        if (floor == Leaf.NOTHING) {
            return Lookup.ABSENT;
        }
        int slot = Leaf.slot(floor);
        long last = Leaf.lastPage(segment, leaf, slot);
        if (last < page) {
            return Lookup.ABSENT;
        }
        long target = Leaf.target(segment, leaf, slot);
        if ((target & required) != required) {
            return Lookup.DENIED;
        }
        out.extent(Pages.start(page - Leaf.distance(floor)), Pages.end(last), Leaf.physStart(target),
                Leaf.flags(target) & ACCESS_FLAGS);
        return Lookup.FOUND;
    }

    static long leafFor(MemorySegment segment, long rootAt, long page) {
        long root = LittleEndian.i64Acquire(segment, rootAt);
        long node = Node.rootNode(root);
        for (int level = Node.height(root); level > 0; level--) {
            node = Node.childAcquire(segment, node, Node.childFor(segment, node, page));
        }
        return node;
    }
}
