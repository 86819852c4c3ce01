// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.table;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import org.virtio4j.vmm.LittleEndian;

/**
 * The lowest nodes of a tree, which hold the mappings, in no order:
 *
 * <pre>
 *     0 +---------------------------+
 *       | first page  [0] ... [14]  |   NONE in a slot that holds no mapping
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
 * readers can see its leaf, and a slot that a mapping has left is not used again before a grace period, since a reader
 * may have taken the first page of the old mapping and be about to take the rest. So a reader never sees a mix.
 *
 * <p>A target is the guest-physical start with the flags in its low bits, which are free because it is a multiple of
 * 4096. What a search reads first lies in two cache lines of its own; last page and target of one mapping share a line.
 */
final class Leaf {

    /** Most mappings in a leaf. */
    static final int CAPACITY = 15;

    /** Answer of {@link #floor} when all mappings begin above the page. */
    static final long NOTHING = Long.MAX_VALUE;

    private static final long FIRST_SIZE = Long.BYTES;
    private static final long WORD = CAPACITY * FIRST_SIZE;
    private static final long VALUES = WORD + Long.BYTES;
    private static final long VALUE_SIZE = 2 * Long.BYTES;
    private static final long TARGET = Long.BYTES;

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
     * least of all distances to the page, each with its slot in the low bits. A slot that begins above the page gives a
     * negative distance, and clearing its sign makes it larger than any other.
     *
     * <p>These are plain loads of 8 aligned bytes, which no processor tears; the fence keeps what is loaded of the slot
     * afterwards behind them, as the writer stored it before the first page.
     *
     * @return what {@link #slot} and {@link #distance} take, or {@link #NOTHING}
     */
    static long floor(MemorySegment segment, long leaf, long page) {
        long least = NOTHING;
        for (int slot = 0; slot < CAPACITY; slot++) {
            long distance = page - LittleEndian.i64(segment, leaf + slot * FIRST_SIZE);
            least = Math.min(least, ((distance << SLOT_BITS) | slot) & Long.MAX_VALUE);
        }
        VarHandle.loadLoadFence();
        return least < FARTHEST ? least : NOTHING;
    }

    static int slot(long floor) {
        return (int) floor & SLOT_MASK;
    }

    /** How far below the page the mapping begins, in pages. */
    static long distance(long floor) {
        return floor >>> SLOT_BITS;
    }

    static long firstPage(MemorySegment segment, long leaf, int slot) {
        return LittleEndian.i64(segment, leaf + slot * FIRST_SIZE);
    }

    static long lastPage(MemorySegment segment, long leaf, int slot) {
        return LittleEndian.i64(segment, leaf + VALUES + slot * VALUE_SIZE);
    }

    static long target(MemorySegment segment, long leaf, int slot) {
        return LittleEndian.i64(segment, leaf + VALUES + slot * VALUE_SIZE + TARGET);
    }

    static long physStart(long target) {
        return target - Pages.offset(target);
    }

    static int flags(long target) {
        return (int) Pages.offset(target);
    }

    // What the writer asks

    static int mappings(MemorySegment segment, long leaf) {
        return Integer.bitCount(used(segment, leaf));
    }

    /** One bit for each slot that holds a mapping. */
    static int used(MemorySegment segment, long leaf) {
        return (int) LittleEndian.i64(segment, leaf + WORD) & ALL_SLOTS;
    }

    /** Whether a mapping begins at a page or below it and reaches another. */
    static boolean reaches(MemorySegment segment, long leaf, long from, long page) {
        long floor = floor(segment, leaf, from);
        return floor != NOTHING && lastPage(segment, leaf, slot(floor)) >= page;
    }

    /** The slots whose mappings begin between two pages, both inclusive. */
    static int between(MemorySegment segment, long leaf, long first, long last) {
        int found = 0;
        for (int slot = 0; slot < CAPACITY; slot++) {
            long page = firstPage(segment, leaf, slot);
            boolean inside = page >= first && page <= last;
            found |= inside ? 1 << slot : 0;
        }
        return found;
    }

    /** The lowest page of any mapping; NONE in an empty leaf. */
    static long lowest(MemorySegment segment, long leaf) {
        long lowest = Pages.NONE;
        for (int slot = 0; slot < CAPACITY; slot++) {
            lowest = Math.min(lowest, firstPage(segment, leaf, slot));
        }
        return lowest;
    }

    // Changes of a leaf that readers may see

    /** Puts a mapping into a slot that no reader can know of; false if there is none just now. */
    static boolean insert(MemorySegment segment, long leaf, long first, long last, long target, int epoch) {
        long word = LittleEndian.i64(segment, leaf + WORD);
        int freed = freedSince(word, epoch);
        int usable = ~((int) word | freed) & ALL_SLOTS;
        if (usable == 0) {
            return false;
        }
        int slot = Integer.numberOfTrailingZeros(usable);
        putValue(segment, leaf, slot, last, target);
        LittleEndian.putI64Release(segment, leaf + slot * FIRST_SIZE, first);
        putWord(segment, leaf, ((int) word & ALL_SLOTS) | (1 << slot), freed, epoch);
        return true;
    }

    /** Takes the mappings of some slots out; the slots rest until the next grace period. */
    static void remove(MemorySegment segment, long leaf, int slots, int epoch) {
        for (int left = slots; left != 0; left &= left - 1) {
            int slot = Integer.numberOfTrailingZeros(left);
            LittleEndian.putI64Release(segment, leaf + slot * FIRST_SIZE, Pages.NONE);
        }
        long word = LittleEndian.i64(segment, leaf + WORD);
        putWord(segment, leaf, (int) word & ALL_SLOTS & ~slots, freedSince(word, epoch) | slots, epoch);
    }

    // New leaves, which no reader can see yet

    static void clear(MemorySegment segment, long leaf) {
        for (int slot = 0; slot < CAPACITY; slot++) {
            LittleEndian.putI64(segment, leaf + slot * FIRST_SIZE, Pages.NONE);
        }
        putWord(segment, leaf, 0, 0, 0);
    }

    /** Fills a slot without counting it; {@link #close} must follow. */
    static void putMapping(MemorySegment segment, long leaf, int slot, long first, long last, long target) {
        putValue(segment, leaf, slot, last, target);
        LittleEndian.putI64(segment, leaf + slot * FIRST_SIZE, first);
    }

    /** Says that the lowest slots hold mappings. */
    static void close(MemorySegment segment, long leaf, int mappings) {
        putWord(segment, leaf, (1 << mappings) - 1, 0, 0);
    }

    static void append(MemorySegment segment, long leaf, long first, long last, long target) {
        int mappings = mappings(segment, leaf);
        putMapping(segment, leaf, mappings, first, last, target);
        close(segment, leaf, mappings + 1);
    }

    /** Appends all mappings of another leaf. */
    static void appendAll(MemorySegment segment, long leaf, long from) {
        int mappings = mappings(segment, leaf);
        for (int left = used(segment, from); left != 0; left &= left - 1) {
            int slot = Integer.numberOfTrailingZeros(left);
            putMapping(segment, leaf, mappings, firstPage(segment, from, slot), lastPage(segment, from, slot),
                    target(segment, from, slot));
            mappings++;
        }
        close(segment, leaf, mappings);
    }

    /** Slots that were freed since the latest grace period, if that is the one of this epoch. */
    private static int freedSince(long word, int epoch) {
        return (int) (word >>> EPOCH_SHIFT) == epoch ? (int) word >>> FREED_SHIFT : 0;
    }

    private static void putValue(MemorySegment segment, long leaf, int slot, long last, long target) {
        LittleEndian.putI64(segment, leaf + VALUES + slot * VALUE_SIZE, last);
        LittleEndian.putI64(segment, leaf + VALUES + slot * VALUE_SIZE + TARGET, target);
    }

    private static void putWord(MemorySegment segment, long leaf, int used, int freed, int epoch) {
        LittleEndian.putI64(segment, leaf + WORD,
                ((long) epoch << EPOCH_SHIFT) | Integer.toUnsignedLong((freed << FREED_SHIFT) | used));
    }
}
