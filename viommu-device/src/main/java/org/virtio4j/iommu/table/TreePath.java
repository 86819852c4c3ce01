// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.table;

/**
 * The writer's way from the root to a leaf, and the one place where it publishes. Levels count from the leaf, which is
 * level 0, up to the root, which is level {@link #height()}.
 */
final class TreePath {

    private static final int HEIGHT = 0;
    private static final int NODE = HEIGHT + 1;
    private static final int PLACE = NODE + Node.MAX_LEVELS;
    private static final int FENCE = PLACE + Node.MAX_LEVELS;
    private static final int BEGIN = FENCE + Node.MAX_LEVELS;
    private static final int CURRENT = BEGIN + 1;
    private static final int END = CURRENT + 1;

    private final NodeMemory memory;
    private final long rootAt;
    private final WriterWords words = new WriterWords(END);

    /**
     * Makes a path of the tree whose root word is at {@code rootAt}.
     *
     * @param rootAt offset of the root word
     */
    TreePath(NodeMemory memory, long rootAt) {
        this.memory = memory;
        this.rootAt = rootAt;
    }

    /**
     * Goes to the leaf that holds what is known about a page. Guests stay in a neighbourhood, so that often it is there
     * already.
     */
    void descend(long page) {
        if (!isCurrent() || page < words.get(BEGIN) || page >= fence(0)) {
            descendFromRoot(page);
        }
    }

    private void descendFromRoot(long page) {
        long root = memory.i64(rootAt);
        int level = Node.height(root);
        long node = Node.rootNode(memory.base(), root);
        long fence = Pages.COUNT;
        long begin = 0;
        words.set(HEIGHT, level);
        words.set(NODE + level, node);
        words.set(FENCE + level, fence);
        while (level > 0) {
            long place = Node.placeFor(memory, node, page);
            words.set(PLACE + level, place);
            fence = Math.min(fence, Node.behind(memory, node, place));
            begin = Node.isFirst(node, place) ? begin : Node.before(memory, node, place);
            node = Node.childAt(memory, place);
            level--;
            words.set(NODE + level, node);
            words.set(FENCE + level, fence);
        }
        words.set(BEGIN, begin);
        words.set(CURRENT, 1);
    }

    int height() {
        return (int) words.get(HEIGHT);
    }

    long leaf() {
        return words.get(NODE);
    }

    /** The node of a level. */
    long node(int level) {
        return words.get(NODE + level);
    }

    /** Which child of the node of a level, which is at least 1, the path goes on with. */
    int slot(int level) {
        return Node.slot(node(level), place(level));
    }

    /** The page that ends the node of a level: the lowest one that belongs to a node to its right, or all pages. */
    long fence(int level) {
        return words.get(FENCE + level);
    }

    /** Where the node of a level has the reference to the child that the path goes on with. */
    private long place(int level) {
        return words.get(PLACE + level);
    }

    /** Whether nothing was published since the path was found, except a leaf in place of its own. */
    private boolean isCurrent() {
        return words.get(CURRENT) != 0;
    }

    /** The leaf that another way would end in; the path stays as it is. */
    long leafFor(long page) {
        return TreeSearch.leafFor(memory, rootAt, page);
    }

    /** Publishes a node, complete, in place of the one that the path has at its level. */
    void replace(int level, long node) {
        // The path goes on with the child of the same number.
        words.add(PLACE + level, node - node(level));
        if (level == height()) {
            publishRoot(node, level);
        } else {
            memory.putI32Release(place(level + 1), memory.reference(node));
            words.set(NODE + level, node);
            words.set(CURRENT, level == 0 && isCurrent() ? 1 : 0);
        }
    }

    /** Publishes another root. */
    void publishRoot(long node, int height) {
        memory.putI64Release(rootAt, Node.rootWord(memory, node, height));
        words.set(HEIGHT, height);
        words.set(NODE + height, node);
        words.set(CURRENT, 0);
    }
}
