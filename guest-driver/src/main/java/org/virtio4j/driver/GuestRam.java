// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver;

import java.lang.foreign.MemorySegment;
import java.util.Random;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.vmm.LittleEndian;
import org.virtio4j.vmm.MemoryRegion;
import org.virtio4j.vmm.RegionKind;

/**
 * RAM as the guest's CPU sees it, and the part of it that a driver may use: addresses are handed out from a range of
 * guest-physical memory one after the other and never taken back.
 *
 * <p>The CPU reads and writes RAM directly, past every IOMMU. A driver works with {@link GuestBuffer}s; the accessors
 * here, which look the address up each time, are for looking at memory from outside.
 *
 * <p>Allocation belongs to one thread at a time; reading and writing to any.
 */
public final class GuestRam {

    private final GuestMemory memory;
    private long next;
    private long remaining;

    /**
     * Makes a range available.
     *
     * @param memory the guest's memory; its RAM must cover the range by the time something is allocated there
     * @param start  guest-physical address of the first byte
     * @param size   bytes
     * @throws IllegalArgumentException if the size is negative or the range wraps around the 64-bit space
     */
    public GuestRam(GuestMemory memory, long start, long size) {
        if (size < 0 || (size > 0 && Long.compareUnsigned(start + (size - 1), start) < 0)) {
            throw new IllegalArgumentException("start=0x" + Long.toHexString(start) + " size=" + size
                    + " is no range of guest-physical addresses");
        }
        this.memory = memory;
        this.next = start;
        this.remaining = size;
    }

    /**
     * How much can still be allocated.
     *
     * @return bytes, including those that an alignment may skip
     */
    public long remaining() {
        return remaining;
    }

    /**
     * Takes the next free bytes, whatever they contain.
     *
     * @param size      bytes, more than 0
     * @param alignment a power of two that the address is a multiple of
     * @return guest-physical address of the first byte
     * @throws IllegalArgumentException if the size is not positive or the alignment is no power of two
     * @throws IllegalStateException if the range is used up
     */
    public long allocate(long size, long alignment) {
        if (size <= 0 || Long.bitCount(alignment) != 1) {
            throw new IllegalArgumentException("size=" + size + " alignment=" + alignment
                    + "; a positive size and a power of two are needed");
        }
        long skipped = -next & (alignment - 1);
        if (skipped < 0 || size > remaining - skipped) {
            throw new IllegalStateException("size=" + size + " alignment=" + alignment + " do not fit into the "
                    + remaining + " bytes left at 0x" + Long.toHexString(next) + "; give the driver a larger range");
        }
        long address = next + skipped;
        next = address + size;
        remaining -= skipped + size;
        return address;
    }

    /**
     * Takes the next free bytes and fills them with zeros. For the device they lie where they lie for the CPU.
     *
     * @param size      bytes, more than 0
     * @param alignment a power of two that the address is a multiple of
     * @return the buffer
     * @throws IllegalArgumentException as {@link #allocate}, and if there is no RAM
     * @throws IllegalStateException if the range is used up
     */
    public GuestBuffer buffer(long size, long alignment) {
        GuestBuffer buffer = view(allocate(size, alignment), size);
        buffer.fill(0, size, 0);
        return buffer;
    }

    /**
     * Takes whole pages and hands them out in random order, filled with zeros: contiguous for a device behind an IOMMU
     * once the driver has mapped each page to its {@link GuestBuffer#gpa}.
     *
     * @param deviceAddress I/O-virtual address of the first byte; its place in a page is kept
     * @param size          bytes, more than 0
     * @param random        decides the order
     * @return the buffer
     * @throws IllegalArgumentException as {@link #allocate}, and if there is no RAM
     * @throws IllegalStateException if the range is used up
     */
    public GuestBuffer shuffled(long deviceAddress, long size, Random random) {
        int count = pageCount(deviceAddress, size);
        long first = allocate(count * GuestMemory.PAGE_SIZE, GuestMemory.PAGE_SIZE);
        long[] pages = new long[count];
        for (int i = 0; i < count; i++) {
            int place = random.nextInt(i + 1);
            pages[i] = pages[place];
            pages[place] = first + i * GuestMemory.PAGE_SIZE;
        }
        GuestBuffer buffer = scattered(deviceAddress, size, pages);
        buffer.fill(0, size, 0);
        return buffer;
    }

    /**
     * A buffer in chosen pages, with what they contain.
     *
     * @param deviceAddress I/O-virtual address of the first byte; its place in a page is kept
     * @param size          bytes
     * @param pages         guest-physical address of each page the buffer touches, each a multiple of 4096
     * @return the buffer
     * @throws IllegalArgumentException if a page is misaligned or not RAM, or there are not enough of them
     */
    public GuestBuffer scattered(long deviceAddress, long size, long[] pages) {
        int count = pageCount(deviceAddress, size);
        if (pages.length < count) {
            throw new IllegalArgumentException("pages=" + pages.length + ", but the buffer touches " + count);
        }
        MemorySegment[] segments = new MemorySegment[count];
        long[] bases = new long[count];
        for (int i = 0; i < count; i++) {
            if (pages[i] % GuestMemory.PAGE_SIZE != 0) {
                throw new IllegalArgumentException("page=0x" + Long.toHexString(pages[i])
                        + " is no multiple of " + GuestMemory.PAGE_SIZE);
            }
            MemoryRegion region = region(pages[i]);
            segments[i] = region.segment();
            bases[i] = pages[i] - region.start();
        }
        return new GuestBuffer(deviceAddress, size, pages.clone(), segments, bases);
    }

    /**
     * A look at any RAM of the guest, allocated here or not, with what it contains; it may go over several regions.
     *
     * @param gpa  guest-physical address of the first byte
     * @param size bytes
     * @return a buffer whose device address is {@code gpa}
     * @throws IllegalArgumentException if there is no RAM
     */
    public GuestBuffer view(long gpa, long size) {
        MemoryRegion region = region(gpa);
        if (size <= region.size() - (gpa - region.start())) {
            return new GuestBuffer(gpa, size, gpa, region.segment(), gpa - region.start());
        }
        long[] pages = new long[pageCount(gpa, size)];
        for (int i = 0; i < pages.length; i++) {
            pages[i] = (gpa & -GuestMemory.PAGE_SIZE) + i * GuestMemory.PAGE_SIZE;
        }
        return scattered(gpa, size, pages);
    }

    /**
     * Reads a byte.
     *
     * @param gpa guest-physical address
     * @return 0 to 255
     * @throws IllegalArgumentException if there is no RAM
     */
    public int u8(long gpa) {
        MemoryRegion region = region(gpa);
        return LittleEndian.u8(region.segment(), gpa - region.start());
    }

    /**
     * Reads 64 bits.
     *
     * @param gpa guest-physical address, at most 8 bytes before the end of its region
     * @return the bits
     * @throws IllegalArgumentException if there is no RAM
     */
    public long i64(long gpa) {
        MemoryRegion region = region(gpa);
        return LittleEndian.i64(region.segment(), gpa - region.start());
    }

    /**
     * Writes a byte.
     *
     * @param gpa   guest-physical address
     * @param value its low byte counts
     * @throws IllegalArgumentException if there is no RAM
     */
    public void putU8(long gpa, int value) {
        MemoryRegion region = region(gpa);
        LittleEndian.putU8(region.segment(), gpa - region.start(), value);
    }

    /**
     * Writes 64 bits.
     *
     * @param gpa   guest-physical address, at most 8 bytes before the end of its region
     * @param value the bits
     * @throws IllegalArgumentException if there is no RAM
     */
    public void putI64(long gpa, long value) {
        MemoryRegion region = region(gpa);
        LittleEndian.putI64(region.segment(), gpa - region.start(), value);
    }

    private MemoryRegion region(long gpa) {
        MemoryRegion region = memory.map().find(gpa);
        if (region == null || region.kind() != RegionKind.RAM) {
            throw new IllegalArgumentException("gpa=0x" + Long.toHexString(gpa) + " is no RAM of " + memory.map()
                    + "; add a region there first");
        }
        return region;
    }

    private static int pageCount(long address, long size) {
        long inPage = address & (GuestMemory.PAGE_SIZE - 1);
        return Math.toIntExact(Math.ceilDiv(Math.addExact(inPage, size), GuestMemory.PAGE_SIZE));
    }
}
