// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.table;


/** The mappings of one leaf in order: what the writer needs to cut a leaf in two, or to walk. */
final class SortedMappings {

    private static final int COUNT = 0;
    private static final int ENTRY = 1;

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
            put(count, Leaf.word(memory, from, slot));
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
        return Leaf.firstPage(words.get(ENTRY + index));
    }

    long last(int index) {
        return Leaf.lastPage(memory, leaf, slot(index));
    }

    long target(int index) {
        return Leaf.target(memory, leaf, slot(index));
    }

    /** The slots of the lowest mappings, one bit each. */
    int lowestSlots(int count) {
        int slots = 0;
        for (int i = 0; i < count; i++) {
            slots |= 1 << slot(i);
        }
        return slots;
    }

    private int slot(int index) {
        return Leaf.slotOf(words.get(ENTRY + index));
    }
}
