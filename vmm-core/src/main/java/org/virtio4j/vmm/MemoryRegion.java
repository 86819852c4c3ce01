// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vmm;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * One stretch of guest-physical addresses with what lies behind it. {@link GuestMemory} makes regions; they do not
 * change, except for the log of written pages. Any thread may read one, but may touch its segment only while the region
 * is in the map, which for a device means inside a section of a {@code DmaHandle}.
 */
public final class MemoryRegion {

    private final long start;
    private final long size;
    private final RegionKind kind;
    private final MemorySegment segment;
    private final @Nullable MessageSink doorbell;
    private final Runnable onReleased;

    /** Null while nobody logs; see {@link DirtyLog}. */
    private volatile @Nullable DirtyPages dirty;

    MemoryRegion(long start, MemorySegment segment, RegionKind kind, Runnable onReleased) {
        this.start = start;
        this.size = segment.byteSize();
        this.kind = kind;
        this.segment = segment;
        this.doorbell = null;
        this.onReleased = onReleased;
    }

    MemoryRegion(long start, long size, MessageSink doorbell) {
        this.start = start;
        this.size = size;
        this.kind = RegionKind.DOORBELL;
        this.segment = MemorySegment.NULL;
        this.doorbell = doorbell;
        this.onReleased = () -> { };
    }

    /**
     * The lowest address.
     *
     * @return a guest-physical address
     */
    public long start() {
        return start;
    }

    /**
     * The highest address.
     *
     * @return a guest-physical address, inclusive
     */
    public long end() {
        return start + (size - 1);
    }

    /**
     * The length.
     *
     * @return bytes, at least 1
     */
    public long size() {
        return size;
    }

    /**
     * What lies here.
     *
     * @return the kind it was added with
     */
    public RegionKind kind() {
        return kind;
    }

    /**
     * The memory itself; offset 0 is {@link #start()}. A doorbell has none.
     *
     * @return the segment, of {@link #size()} bytes, or an empty one
     */
    public MemorySegment segment() {
        return segment;
    }

    /**
     * Whether an address lies in this region.
     *
     * @param gpa guest-physical address
     * @return true from {@link #start()} to {@link #end()}
     */
    public boolean holds(long gpa) {
        return Long.compareUnsigned(gpa - start, size) < 0;
    }

    /**
     * Whether a device may do something to the memory here.
     *
     * @param access what it would do
     * @return true for RAM, and for reading ROM; false for a doorbell, whose writes are messages
     */
    public boolean allows(Access access) {
        return kind == RegionKind.RAM || (kind == RegionKind.ROM && access == Access.READ);
    }

    /**
     * The sink that takes the messages that are written here.
     *
     * @return null unless this is a doorbell
     */
    public @Nullable MessageSink doorbell() {
        return doorbell;
    }

    @Nullable DirtyPages dirty() {
        return dirty;
    }

    void dirty(@Nullable DirtyPages pages) {
        dirty = pages;
    }

    /**
     * Marks the pages of bytes that were stored to, for the log of dirty pages. Call it after the stores, never before:
     * a reader that takes the mark must find the new content.
     *
     * @param offset bytes from the start of the region
     * @param length how many bytes, 0 or more
     */
    public void written(long offset, long length) {
        DirtyPages pages = dirty;
        if (pages != null && length > 0) {
            pages.mark(offset, length);
        }
    }

    void released() {
        onReleased.run();
    }

    @Override
    public String toString() {
        return kind + " [0x" + Long.toHexString(start) + ", 0x" + Long.toHexString(end()) + "]";
    }
}
