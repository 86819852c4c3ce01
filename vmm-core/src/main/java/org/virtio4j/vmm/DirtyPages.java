// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vmm;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/** One bit for each page of one region: set by device threads, taken and cleared by the thread that harvests. */
final class DirtyPages {

    private static final VarHandle WORD = MethodHandles.arrayElementVarHandle(long[].class);

    /** The longest array of any JVM. */
    private static final int MOST_WORDS = Integer.MAX_VALUE - 8;

    private final int pageShift;
    private final long[] words;

    private DirtyPages(int pageShift, int words) {
        this.pageShift = pageShift;
        this.words = new long[words];
    }

    static DirtyPages of(MemoryRegion region, int pageShift) {
        long words = ((region.size() - 1) >>> pageShift) / Long.SIZE + 1;
        if (words > MOST_WORDS) {
            throw new IllegalArgumentException("pageSize=" + (1L << pageShift) + " makes more marks of region=" + region
                    + " than an array holds; choose a larger page");
        }
        return new DirtyPages(pageShift, (int) words);
    }

    void mark(long offset, long length) {
        long last = (offset + length - 1) >>> pageShift;
        for (long page = offset >>> pageShift; page <= last; page++) {
            mark(page);
        }
    }

    private void mark(long page) {
        int index = (int) (page / Long.SIZE);
        long bit = 1L << page;
        // The full fence orders the data stores before the load. Otherwise this thread could see a bit as set that a
        // harvester is about to clear, and its data would come after the harvester's copy of the page.
        VarHandle.fullFence();
        if ((words[index] & bit) == 0) {
            WORD.getAndBitwiseOr(words, index, bit);
        }
    }

    /** Hands over each marked page of a region that starts at {@code gpa} and clears its mark before. */
    void harvest(long gpa, DirtyLog.Visitor visitor) {
        for (int index = 0; index < words.length; index++) {
            long left = (long) WORD.getAndSet(words, index, 0L);
            try {
                for (; left != 0; left &= left - 1) {
                    long page = (long) index * Long.SIZE + Long.numberOfTrailingZeros(left);
                    visitor.dirty(gpa + (page << pageShift), 1L << pageShift);
                }
            } finally {
                if (left != 0) {
                    // The visitor threw: what it did not take is dirty as before.
                    WORD.getAndBitwiseOr(words, index, left);
                }
            }
        }
    }
}
