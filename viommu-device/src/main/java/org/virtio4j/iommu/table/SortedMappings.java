// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.table;


/** The mappings of one leaf in order: what the writer needs to cut a leaf in two, or to walk. */
final class SortedMappings {

    private static final int COUNT = 0;
    private static final int ENTRY = 1;
    private static final int SLOT_BITS = 4;
    private static final int SLOT_MASK = (1 << SLOT_BITS) - 1;

    private final NodeMemory memory;

    /** Each entry is the first page of a mapping with its slot below, so that one word is moved, and not three. */
    private final WriterWords words = new WriterWords(ENTRY + Leaf.CAPACITY);
    private long leaf;

    SortedMappings(NodeMemory memory) {
        this.memory = memory;
    }

    void load(long from) {
        leaf = from;
        int count = 0;
        for (int left = Leaf.used(memory, from); left != 0; left &= left - 1) {
            int slot = Integer.numberOfTrailingZeros(left);
            put(count, (Leaf.firstPage(memory, from, slot) << SLOT_BITS) | slot);
            count++;
        }
        words.set(COUNT, count);
    }

    private void put(int count, long entry) {
        int at = count;
        while (at > 0 && words.get(ENTRY + at - 1) > entry) {
            words.set(ENTRY + at, words.get(ENTRY + at - 1));
            at--;
        }
        words.set(ENTRY + at, entry);
    }

    int count() {
        return (int) words.get(COUNT);
    }

    /** How many begin below a page. */
    int below(long page) {
        int below = 0;
        for (int i = 0; i < count(); i++) {
            below += first(i) < page ? 1 : 0;
        }
        return below;
    }

    long first(int index) {
        return words.get(ENTRY + index) >>> SLOT_BITS;
    }

    long last(int index) {
        return Leaf.lastPage(memory, leaf, slot(index));
    }

    long target(int index) {
        return Leaf.target(memory, leaf, slot(index));
    }

    private int slot(int index) {
        return (int) words.get(ENTRY + index) & SLOT_MASK;
    }
}
