// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vmm;

import org.jspecify.annotations.Nullable;

/**
 * Which pages of guest memory devices have written: what live migration copies again. Pages are logged from
 * {@link #start} on, whichever device wrote them and through whatever translation.
 *
 * <p>{@link #start} and {@link #stop} take the memory's set-up lock; {@link #harvest} may run beside devices at work.
 */
public final class DirtyLog {

    private static final int OFF = -1;

    private final GuestMemory memory;
    private int pageShift = OFF;

    DirtyLog(GuestMemory memory) {
        this.memory = memory;
    }

    /** Receives the pages that were written since the last harvest. */
    public interface Visitor {

        /**
         * Takes one page. Its content must be read after this call, or in it: a write that comes later marks the page
         * again.
         *
         * @param gpa    guest-physical address of the page's first byte
         * @param length the page size in bytes; the last page of a region may reach past its end
         */
        void dirty(long gpa, long length);
    }

    /**
     * Begins to log, with no page marked. When it returns, every later write is logged.
     *
     * @param pageSize bytes a mark stands for, a power of two
     * @throws IllegalArgumentException if {@code pageSize} is no power of two, or so small that the marks of a region
     *         do not fit an array; nothing changes then, nor if there is no memory for the marks
     */
    public void start(int pageSize) {
        if (pageSize < 1 || Integer.bitCount(pageSize) != 1) {
            throw new IllegalArgumentException("pageSize=" + pageSize + ", but a power of two is needed");
        }
        memory.changeDirtyLog(Integer.numberOfTrailingZeros(pageSize));
    }

    /** Ends logging and clears all marks. */
    public void stop() {
        memory.changeDirtyLog(OFF);
    }

    /**
     * Hands over and clears all marks. Any thread, beside devices that write.
     *
     * @param visitor takes the pages, in ascending order of their addresses; if it throws, that page and all behind it
     *                stay marked
     */
    public void harvest(Visitor visitor) {
        RegionMap map = memory.map();
        for (int i = 0; i < map.count(); i++) {
            MemoryRegion region = map.region(i);
            DirtyPages pages = region.dirty();
            if (pages != null) {
                pages.harvest(region.start(), visitor);
            }
        }
    }

    /** Gives all regions new bitmaps, or takes them away, or does nothing; the caller holds the memory's lock. */
    void change(RegionMap map, int newShift) {
        @Nullable DirtyPages[] pages = new DirtyPages[map.count()];
        for (int i = 0; i < pages.length; i++) {
            pages[i] = pages(map.region(i), newShift);
        }
        // From here on nothing can go wrong.
        pageShift = newShift;
        for (int i = 0; i < pages.length; i++) {
            map.region(i).dirty(pages[i]);
        }
    }

    /** Gives a new region its bitmap, if it needs one; the caller holds the memory's lock. */
    void equip(MemoryRegion region) {
        region.dirty(pages(region, pageShift));
    }

    private static @Nullable DirtyPages pages(MemoryRegion region, int shift) {
        return shift == OFF || region.kind() != RegionKind.RAM ? null : DirtyPages.of(region, shift);
    }
}
