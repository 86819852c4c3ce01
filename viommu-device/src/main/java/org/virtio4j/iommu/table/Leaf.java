// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.table;

import java.lang.invoke.VarHandle;

/**
 * The lowest nodes of a tree, which hold the mappings, in no order:
 *
 * <pre>
 *     0 +---------------------------+
 *       | first page  [0] ... [14]  |   NONE in a slot that holds no mapping; the slot in 4 bits below
 *   120 +---------------------------+
 *       | the writer's word         |   slots in use, slots freed of late, when that was
 *   128 +---------------------------+
 *       | last page   [0]           |
 *       | target      [0]           |
 *       |     ...                   |
 *       | last page   [14]          |
 *       | target      [14]          |
 *   368 +---------------------------+
 *       | unused                    |
 *   384 +---------------------------+
 * </pre>
 *
 * <p>One store makes a mapping, one removes it: that of the first page. A mapping never moves to another slot while
 * readers can see its leaf, and a slot that a mapping has left is not used again before a grace period. A reader may
 * have taken the first page of the old mapping and be about to take the rest. So a reader never sees a mix.
 *
 * <p>A target is the guest-physical start with the flags in its low bits, which are free because it is a multiple of
 * 4096. What a search reads first lies in two cache lines of its own; last page and target of one mapping share a line.
 */
final class Leaf {

    /** Bytes of a leaf. */
    static final long SIZE = 384;
    /** Most mappings in a leaf. */
    static final int CAPACITY = 15;

    /** Answer of {@link #floor} when all mappings begin above the page. */
    static final long NOTHING = Long.MAX_VALUE;

    private static final int THIRD = CAPACITY / 3;

    private static final long FIRST_SIZE = Long.BYTES;
    private static final long WORD = CAPACITY * FIRST_SIZE;
    private static final long VALUES = WORD + Long.BYTES;
    private static final long VALUE_SIZE = 2 * Long.BYTES;
    private static final long TARGET = Long.BYTES;

    private static final long LINE = 64;

    /** Distances are at most 52 bits; what is farther comes from a slot that begins above the page or holds nothing. */
    private static final int SLOT_BITS = 4;
    private static final int SLOT_MASK = (1 << SLOT_BITS) - 1;
    private static final long FARTHEST = Pages.COUNT << SLOT_BITS;

    private static final int ALL_SLOTS = (1 << CAPACITY) - 1;
    private static final int FREED_SHIFT = 16;
    private static final int EPOCH_SHIFT = Integer.SIZE;

    private Leaf() {
    }

    // Search

    /**
     * The mapping that begins at a page or nearest below it, found without a branch that could be mispredicted: the
     * least of all distances to the page, as unsigned numbers, so that what begins above the page is farthest away. The
     * bits of the slot, which lie below each first page, count as far away, too, but never as much as a page.
     *
     * <p>The key has its sign changed, and so have all distances, so that their order as signed numbers, for which the
     * compiler knows a minimum without a branch, is theirs as unsigned ones. Three slots a step, because a loop this
     * short is compiled without a loop, and minima that do not wait for each other.
     *
     * <p>In bounds: slots count to the capacity. What is loaded decides only what the answer is; the four bits that say
     * which slot come back as they were stored, since they survive the subtraction, and {@link #slot} masks them. Slot
     * 15, which does not exist, cannot be the answer: the bits of a word are those of the slot it is stored in.
     *
     * <p>These are plain loads of 8 aligned bytes, which no processor tears; the fence keeps what is loaded of the slot
     * afterwards behind them, as the writer stored it before the first page.
     *
     * @return what {@link #slot} and {@link #distance} take, or {@link #NOTHING}
     */
    static long floor(NodeMemory memory, long leaf, long page) {
        long key = (page << SLOT_BITS | SLOT_MASK) ^ Long.MIN_VALUE;
        fetchValues(memory, leaf);
        long least = Long.MAX_VALUE;
        for (int slot = 0; slot < THIRD; slot++) {
            long at = leaf + slot * FIRST_SIZE;
            long one = key - memory.i64(at);
            long other = key - memory.i64(at + THIRD * FIRST_SIZE);
            long third = key - memory.i64(at + 2 * THIRD * FIRST_SIZE);
            least = Math.min(least, Math.min(Math.min(one, other), third));
        }
        VarHandle.loadLoadFence();
        least ^= Long.MIN_VALUE;
        return least >= 0 && least < FARTHEST ? least : NOTHING;
    }

    /**
     * Asks for the cache lines of all values while those of the first pages are still on their way, so that a search
     * waits for memory once and not twice. No last page is negative, so that the branch is always predicted, and
     * nothing waits for it.
     */
    private static void fetchValues(NodeMemory memory, long leaf) {
        long any = 0;
        for (long line = VALUES; line < SIZE; line += LINE) {
            any |= memory.i64(leaf + line);
        }
        if (any < 0) {
            throw new IllegalStateException("a last page of leaf offset=" + leaf + " is negative");
        }
    }

    static int slot(long floor) {
        return SLOT_MASK - ((int) floor & SLOT_MASK);
    }

    /** How far below the page the mapping begins, in pages. */
    static long distance(long floor) {
        return floor >>> SLOT_BITS;
    }

    static long firstPage(NodeMemory memory, long leaf, int slot) {
        return firstPage(word(memory, leaf, slot));
    }

    /** The first page of a mapping with its slot below, in the order of first pages. */
    static long word(NodeMemory memory, long leaf, int slot) {
        return memory.i64(leaf + slot * FIRST_SIZE);
    }

    static long firstPage(long word) {
        return word >>> SLOT_BITS;
    }

    static int slotOf(long word) {
        return (int) word & SLOT_MASK;
    }

    // In bounds, here and below: a slot is below the capacity, since it comes from counting or from floor.

    static long lastPage(NodeMemory memory, long leaf, int slot) {
        return memory.i64(leaf + VALUES + slot * VALUE_SIZE);
    }

    static long target(NodeMemory memory, long leaf, int slot) {
        return memory.i64(leaf + VALUES + slot * VALUE_SIZE + TARGET);
    }

    static long physStart(long target) {
        return target - Pages.offset(target);
    }

    static int flags(long target) {
        return (int) Pages.offset(target);
    }

    // What the writer asks

    static int mappings(NodeMemory memory, long leaf) {
        return Integer.bitCount(used(memory, leaf));
    }

    /** One bit for each slot that holds a mapping. */
    static int used(NodeMemory memory, long leaf) {
        return (int) memory.i64(leaf + WORD) & ALL_SLOTS;
    }

    /** Whether a mapping begins at the last page of a range or below it and reaches the first page. */
    static boolean reaches(NodeMemory memory, long leaf, long lastPage, long firstPage) {
        long floor = floor(memory, leaf, lastPage);
        return floor != NOTHING && lastPage(memory, leaf, slot(floor)) >= firstPage;
    }

    /** The slots whose mappings begin between two pages, both inclusive. */
    static int between(NodeMemory memory, long leaf, long first, long last) {
        int found = 0;
        for (int slot = 0; slot < CAPACITY; slot++) {
            long page = firstPage(memory, leaf, slot);
            boolean inside = page >= first && page <= last;
            found |= inside ? 1 << slot : 0;
        }
        return found;
    }

    /** The lowest page of any mapping; NONE in an empty leaf. */
    static long lowest(NodeMemory memory, long leaf) {
        long lowest = Pages.NONE;
        for (int slot = 0; slot < CAPACITY; slot++) {
            lowest = Math.min(lowest, firstPage(memory, leaf, slot));
        }
        return lowest;
    }

    // Changes of a leaf that readers may see

    /** Puts a mapping into a slot that no reader can know of; false if there is none just now. */
    static boolean insert(NodeMemory memory, long leaf, long firstPage, long lastPage, long target, int epoch) {
        long word = memory.i64(leaf + WORD);
        int freed = freedSince(word, epoch);
        int usable = ~((int) word | freed) & ALL_SLOTS;
        if (usable == 0) {
            return false;
        }
        // In bounds: a bit of ALL_SLOTS is set, so that the slot is below the capacity.
        int slot = Integer.numberOfTrailingZeros(usable);
        putValue(memory, leaf, slot, lastPage, target);
        memory.putI64Release(leaf + slot * FIRST_SIZE, word(firstPage, slot));
        memory.putI64(leaf + WORD, packed(((int) word & ALL_SLOTS) | (1 << slot), freed, epoch));
        return true;
    }

    /** Takes the mappings of some slots out; the slots rest until the next grace period. */
    static void remove(NodeMemory memory, long leaf, int slots, int epoch) {
        for (int left = slots; left != 0; left &= left - 1) {
            int slot = Integer.numberOfTrailingZeros(left);
            memory.putI64Release(leaf + slot * FIRST_SIZE, word(Pages.NONE, slot));
        }
        long word = memory.i64(leaf + WORD);
        memory.putI64(leaf + WORD, packed((int) word & ALL_SLOTS & ~slots, freedSince(word, epoch) | slots, epoch));
    }

    // New leaves, which no reader can see yet

    static void clear(NodeMemory memory, long leaf) {
        memory.zero(leaf, SIZE);
        for (int slot = 0; slot < CAPACITY; slot++) {
            memory.putI64(leaf + slot * FIRST_SIZE, word(Pages.NONE, slot));
        }
    }

    /** Copies a leaf with some of its mappings, which keep their slots: all at once is faster than one by one. */
    static void copyWith(NodeMemory memory, long from, long to, int slots) {
        memory.copy(from, to, SIZE);
        for (int left = used(memory, from) & ~slots; left != 0; left &= left - 1) {
            int slot = Integer.numberOfTrailingZeros(left);
            memory.putI64(to + slot * FIRST_SIZE, word(Pages.NONE, slot));
        }
        memory.putI64(to + WORD, packed(slots, 0, 0));
    }

    /** Adds a mapping, for which there must be room. */
    static void append(NodeMemory memory, long leaf, long firstPage, long lastPage, long target) {
        int used = used(memory, leaf);
        // In bounds: the caller knows that there is room, so that one of the lowest 15 bits is not set.
        int slot = Integer.numberOfTrailingZeros(~used);
        putMapping(memory, leaf, slot, firstPage, lastPage, target);
        memory.putI64(leaf + WORD, packed(used | 1 << slot, 0, 0));
    }

    static void putMapping(NodeMemory memory, long leaf, int slot, long firstPage, long lastPage, long target) {
        putValue(memory, leaf, slot, lastPage, target);
        memory.putI64(leaf + slot * FIRST_SIZE, word(firstPage, slot));
    }

    /** Adds all mappings of another leaf, for which there must be room. */
    static void appendAll(NodeMemory memory, long leaf, long from) {
        for (int left = used(memory, from); left != 0; left &= left - 1) {
            int slot = Integer.numberOfTrailingZeros(left);
            append(memory, leaf, firstPage(memory, from, slot), lastPage(memory, from, slot),
                    target(memory, from, slot));
        }
    }

    /** Slots that were freed since the latest grace period, if that is the one of this epoch. */
    private static int freedSince(long word, int epoch) {
        return (int) (word >>> EPOCH_SHIFT) == epoch ? (int) word >>> FREED_SHIFT : 0;
    }

    private static long word(long firstPage, int slot) {
        return firstPage << SLOT_BITS | slot;
    }

    private static void putValue(NodeMemory memory, long leaf, int slot, long lastPage, long target) {
        memory.putI64(leaf + VALUES + slot * VALUE_SIZE, lastPage);
        memory.putI64(leaf + VALUES + slot * VALUE_SIZE + TARGET, target);
    }

    /** The writer's word. */
    private static long packed(int used, int freed, int epoch) {
        return ((long) epoch << EPOCH_SHIFT) | Integer.toUnsignedLong((freed << FREED_SHIFT) | used);
    }
}
