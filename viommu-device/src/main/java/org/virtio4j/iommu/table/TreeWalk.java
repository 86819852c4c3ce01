// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.table;

/** The writer's walk in order: leaf by leaf, each found from the root by the page that ended the one before. */
final class TreeWalk {

    private TreeWalk() {
    }

    static void walk(TreePath path, SortedMappings sorted, long firstPage, long lastPage, MappingVisitor visitor) {
        long next = firstPage;
        do {
            path.descend(next);
            next = path.fence(0);
            sorted.load(path.leaf());
        } while (walkLeaf(sorted, firstPage, lastPage, visitor) && next <= lastPage);
    }

    private static boolean walkLeaf(SortedMappings sorted, long firstPage, long lastPage, MappingVisitor visitor) {
        int mappings = sorted.count();
        for (int i = 0; i < mappings; i++) {
            if (sorted.first(i) > lastPage || (sorted.last(i) >= firstPage && !visit(sorted, i, visitor))) {
                return false;
            }
        }
        return true;
    }

    private static boolean visit(SortedMappings sorted, int index, MappingVisitor visitor) {
        long target = sorted.target(index);
        return visitor.mapping(Pages.start(sorted.first(index)), Pages.end(sorted.last(index)), Leaf.physStart(target),
                Leaf.flags(target));
    }
}
