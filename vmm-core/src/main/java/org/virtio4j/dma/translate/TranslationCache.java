// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.dma.translate;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.virtio4j.vmm.Access;

/**
 * What one {@code DmaHandle} remembers of its translations from section to section: whole extents, in a fixed number of
 * entries. The handle's owner finds and keeps. When a translation is taken away, another thread makes the cache forget
 * it, without a lock on either side.
 *
 * <p>An extent is looked for by the address that is accessed, so the place of an entry must follow from any address in
 * it. Addresses are divided into granules, and an extent is filed under the one or two granules that it touches. The
 * granule is the least power of two that is no smaller than the extent; its binary logarithm is the extent's <em>size
 * class</em>. A lookup tries the classes that occur, the smallest first. So a page costs one try, and a mapping of any
 * size takes two entries at the most, however much of it is used.
 *
 * <p>Three words of an entry, which say where the extent lies, are the owner's alone: what it reads there it wrote, and
 * so are never parts of two extents. The fourth, what is permitted, says whether there is an entry at all, and is the
 * one word that other threads store to, and only 0. They compare words that the owner may be replacing, and so may
 * clear an entry that took the place of the one they meant: that costs a translation and nothing else.
 *
 * <p>Nor do they miss any, by two fences. Taking away is: unlink, move {@link Translator#generation()}, full fence,
 * {@link #forget}. Keeping is: note the generation, translate, {@link #keep}, which ends with a full fence, look at the
 * generation again, and forget if it moved. If the owner's fence comes first, the other thread sees the entry and
 * clears it. If it comes second, the owner sees that the generation moved. And if it had moved before the owner
 * translated, the translation saw the unlinking. What the owner uses until the entry is cleared, it uses in a section
 * that the grace period waits for.
 */
final class TranslationCache {

    private static final VarHandle WORDS = MethodHandles.arrayElementVarHandle(long[].class);
    private static final VarHandle CLASSES = classesHandle();

    /** More ways would be tried one after the other; where pages follow each other, sets hardly ever fill. */
    private static final int WAYS = 2;
    private static final int SET_BITS = 10;
    private static final int SETS = 1 << SET_BITS;
    private static final int ENTRIES = SETS * WAYS;

    /** Keeps neighbours in memory out of the cache lines of the words at both ends. */
    private static final int PADDING = 16;

    /**
     * Which way of a full set goes next. In the padding, since each miss stores it and nobody else may wait for that.
     */
    private static final int VICTIM = PADDING / 2;

    private static final int FIRST_ENTRY = PADDING;
    private static final int ENTRY_SIZE = 4;

    // The words of an entry.

    /** The first I/O-virtual address. */
    private static final int FIRST = 0;
    /** What is added to the first address for the last one. */
    private static final int SPAN = 1;
    /** The guest-physical address that the first one means. */
    private static final int PHYSICAL = 2;
    /** A sum of access masks; 0 if there is no entry. */
    private static final int PERMITTED = 3;

    /** 2^64 by the golden ratio: the top bits of the product spread numbers that follow each other evenly. */
    private static final long SPREAD = 0x9e37_79b9_7f4a_7c15L;

    private final long[] words = new long[FIRST_ENTRY + ENTRIES * ENTRY_SIZE + PADDING];

    /**
     * Bit n is set if an extent of size class n was ever kept. A thread that takes a translation away reads it in every
     * cache and for every range, so it is stored only where a bit is new.
     */
    private long classes;

    /**
     * Owner only, inside a section.
     *
     * @return whether {@code out} was filled with an extent that holds the address and permits the access
     */
    boolean find(long iova, Access access, ExtentSink out) {
        // Plain loads here and below: an opaque one would make the compiler load all else again, and the fence of
        // entering a section is what makes those words appear that must.
        for (long left = classes; left != 0; left &= left - 1) {
            int entry = set(iova >>> Long.numberOfTrailingZeros(left));
            for (int way = 0; way < WAYS; way++, entry += ENTRY_SIZE) {
                if (holds(entry, iova) && (words[entry + PERMITTED] & access.mask()) != 0) {
                    copy(entry, out);
                    return true;
                }
            }
        }
        return false;
    }

    private boolean holds(int entry, long iova) {
        return Long.compareUnsigned(iova - words[entry + FIRST], words[entry + SPAN]) <= 0;
    }

    private void copy(int entry, ExtentSink out) {
        long first = words[entry + FIRST];
        out.extent(first, first + words[entry + SPAN], words[entry + PHYSICAL], (int) words[entry + PERMITTED]);
    }

    /**
     * Owner only, inside a section. The caller compares {@link Translator#generation()} with what it was before it
     * translated, and makes the cache forget the extent again if it moved.
     */
    void keep(LastTranslation found) {
        int sizeClass = sizeClass(found.virtStart(), found.virtEnd());
        long known = classes | 1L << sizeClass;
        if (known != classes) {
            CLASSES.setOpaque(this, known);
        }
        long low = found.virtStart() >>> sizeClass;
        long high = found.virtEnd() >>> sizeClass;
        put(place(low, found.virtStart()), found);
        if (high != low) {
            put(place(high, found.virtStart()), found);
        }
        // The entry must be visible before the generation is loaded again; pairs with the fence before forget.
        VarHandle.fullFence();
    }

    private void put(int entry, LastTranslation found) {
        WORDS.setOpaque(words, entry + FIRST, found.virtStart());
        WORDS.setOpaque(words, entry + SPAN, found.virtEnd() - found.virtStart());
        words[entry + PHYSICAL] = found.physStart();
        WORDS.setOpaque(words, entry + PERMITTED, (long) found.permitted());
    }

    /** Where an extent goes: to the first way that is empty or has an older one with the same start, else to any. */
    private int place(long granule, long first) {
        int set = set(granule);
        int way = WAYS - 1 - ((int) words[VICTIM]++ & (WAYS - 1));
        for (int other = WAYS - 1; other >= 0; other--) {
            int entry = set + other * ENTRY_SIZE;
            if (isEmpty(entry) || words[entry + FIRST] == first) {
                way = other;
            }
        }
        return set + way * ENTRY_SIZE;
    }

    /**
     * Any thread. Forgets every extent in a range that cuts none of them: each lies in it wholly or not at all.
     *
     * @param first the first address
     * @param last  the last address, inclusive
     */
    void forget(long first, long last) {
        long left = (long) CLASSES.getOpaque(this);
        // Unsigned, because a translator may hand out extents of a single byte, and the range be all 2^64.
        if (left != 0 && Long.compareUnsigned((last - first) >>> Long.numberOfTrailingZeros(left), SETS) >= 0) {
            forgetEntries(FIRST_ENTRY, ENTRIES, first, last);
            return;
        }
        for (; left != 0; left &= left - 1) {
            int sizeClass = Long.numberOfTrailingZeros(left);
            long granule = first >>> sizeClass;
            // At most SETS. Counted, because the last granule of all has none behind it to compare with.
            long more = (last >>> sizeClass) - granule;
            for (long i = 0; i <= more; i++) {
                forgetEntries(set(granule + i), WAYS, first, last);
            }
        }
    }

    /** Any thread. */
    void forgetAll() {
        if ((long) CLASSES.getOpaque(this) != 0) {
            forgetEntries(FIRST_ENTRY, ENTRIES, 0, -1);
        }
    }

    private void forgetEntries(int start, int count, long first, long last) {
        int end = start + count * ENTRY_SIZE;
        for (int entry = start; entry < end; entry += ENTRY_SIZE) {
            if (!isEmpty(entry) && overlaps(entry, first, last)) {
                WORDS.setOpaque(words, entry + PERMITTED, 0L);
            }
        }
    }

    private boolean overlaps(int entry, long first, long last) {
        long start = (long) WORDS.getOpaque(words, entry + FIRST);
        long end = start + (long) WORDS.getOpaque(words, entry + SPAN);
        return Long.compareUnsigned(start, last) <= 0 && Long.compareUnsigned(end, first) >= 0;
    }

    private static VarHandle classesHandle() {
        try {
            return MethodHandles.lookup().findVarHandle(TranslationCache.class, "classes", long.class);
        } catch (ReflectiveOperationException impossible) {
            throw new ExceptionInInitializerError(impossible);
        }
    }

    private boolean isEmpty(int entry) {
        return (long) WORDS.getOpaque(words, entry + PERMITTED) == 0;
    }

    private static int sizeClass(long first, long last) {
        // An extent of all 2^64 addresses is filed with those of half as many; shifts end at 63.
        return Math.min(Long.SIZE - Long.numberOfLeadingZeros(last - first), Long.SIZE - 1);
    }

    /** The first entry of the set in which extents of a granule are. */
    private static int set(long granule) {
        int set = (int) ((granule * SPREAD) >>> (Long.SIZE - SET_BITS));
        return FIRST_ENTRY + set * WAYS * ENTRY_SIZE;
    }
}
