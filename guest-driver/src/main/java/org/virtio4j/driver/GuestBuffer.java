// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver;

import java.lang.foreign.MemorySegment;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.vmm.LittleEndian;

/**
 * A run of guest RAM as a driver holds it: contiguous for the device, while for the guest's CPU each page of it may lie
 * elsewhere. Without an IOMMU before the device both views are the same.
 *
 * <p>Offsets are bytes from the start of the run. They may have any alignment, and an access may cross pages; the two
 * ordered accesses are the exception.
 * Where the run lies in host memory is looked up once, when {@link GuestRam} makes it; so a buffer must not outlive its
 * regions. Reads and writes are plain memory accesses that allocate nothing; the buffer itself is immutable and may be
 * used by any thread. Outside the run every access throws {@link IndexOutOfBoundsException}.
 */
public final class GuestBuffer {

    private static final int PAGE_SHIFT = Long.numberOfTrailingZeros(GuestMemory.PAGE_SIZE);

    /** Shifts any offset to 0, for a run that lies in one piece. */
    private static final int ONE_PIECE = Long.SIZE - 1;

    private final long address;
    private final long length;

    /** Guest-physical address of each piece's first byte. */
    private final long[] pieces;
    private final MemorySegment[] segments;

    /** What is added to an offset to find it in its piece's segment. */
    private final long[] bases;
    private final int shift;

    /** How far inside its first page the run begins. */
    private final long skew;

    /** In one piece: {@code base} is where the segment has its first byte. */
    GuestBuffer(long address, long length, long gpa, MemorySegment segment, long base) {
        this.address = address;
        this.length = length;
        this.pieces = new long[] {gpa};
        this.segments = new MemorySegment[] {segment};
        this.bases = new long[] {base};
        this.shift = ONE_PIECE;
        this.skew = 0;
    }

    /** In pages: {@code pageBases} is where each segment has the first byte of the page. */
    GuestBuffer(long address, long length, long[] pages, MemorySegment[] segments, long[] pageBases) {
        this.address = address;
        this.length = length;
        this.segments = segments;
        this.shift = PAGE_SHIFT;
        this.skew = address & (GuestMemory.PAGE_SIZE - 1);
        this.pieces = pages;
        this.bases = new long[pages.length];
        for (int i = 0; i < pages.length; i++) {
            bases[i] = pageBases[i] - ((long) i << PAGE_SHIFT) + skew;
        }
    }

    /**
     * Where the device finds the run.
     *
     * @return the address of the first byte: guest-physical, or I/O-virtual for a device behind an IOMMU
     */
    public long address() {
        return address;
    }

    /**
     * How long the run is.
     *
     * @return bytes
     */
    public long length() {
        return length;
    }

    /**
     * Where the guest's CPU finds a byte, which is what a driver maps {@link #address()} plus {@code offset} to.
     *
     * @param offset bytes from the start of the run
     * @return guest-physical address
     */
    public long gpa(long offset) {
        check(offset, 1);
        long inPage = (offset + skew) & (GuestMemory.PAGE_SIZE - 1);
        return shift == ONE_PIECE ? pieces[0] + offset : pieces[piece(offset)] + inPage;
    }

    /**
     * Reads an unsigned byte.
     *
     * @param offset bytes from the start of the run
     * @return 0 to 255
     */
    public int u8(long offset) {
        check(offset, Byte.BYTES);
        int piece = piece(offset);
        return LittleEndian.u8(segments[piece], bases[piece] + offset);
    }

    /**
     * Reads an unsigned 16-bit value.
     *
     * @param offset bytes from the start of the run
     * @return 0 to 65,535
     */
    public int u16(long offset) {
        check(offset, Short.BYTES);
        int piece = piece(offset);
        return piece == piece(offset + Short.BYTES - 1)
                ? LittleEndian.u16(segments[piece], bases[piece] + offset)
                : u8(offset) | (u8(offset + 1) << Byte.SIZE);
    }

    /**
     * Reads 32 bits.
     *
     * @param offset bytes from the start of the run
     * @return the bits
     */
    public int i32(long offset) {
        check(offset, Integer.BYTES);
        int piece = piece(offset);
        return piece == piece(offset + Integer.BYTES - 1)
                ? LittleEndian.i32(segments[piece], bases[piece] + offset)
                : u16(offset) | (u16(offset + Short.BYTES) << Short.SIZE);
    }

    /**
     * Reads an unsigned 32-bit value.
     *
     * @param offset bytes from the start of the run
     * @return 0 to 4,294,967,295
     */
    public long u32(long offset) {
        return Integer.toUnsignedLong(i32(offset));
    }

    /**
     * Reads 64 bits, not atomically.
     *
     * @param offset bytes from the start of the run
     * @return the bits
     */
    public long i64(long offset) {
        check(offset, Long.BYTES);
        int piece = piece(offset);
        return piece == piece(offset + Long.BYTES - 1)
                ? LittleEndian.i64(segments[piece], bases[piece] + offset)
                : u32(offset) | (u32(offset + Integer.BYTES) << Integer.SIZE);
    }

    /**
     * Writes 8 bits.
     *
     * @param offset bytes from the start of the run
     * @param value  its low byte counts
     */
    public void putU8(long offset, int value) {
        check(offset, Byte.BYTES);
        int piece = piece(offset);
        LittleEndian.putU8(segments[piece], bases[piece] + offset, value);
    }

    /**
     * Writes 16 bits.
     *
     * @param offset bytes from the start of the run
     * @param value  its low 16 bits count
     */
    public void putU16(long offset, int value) {
        check(offset, Short.BYTES);
        int piece = piece(offset);
        if (piece == piece(offset + Short.BYTES - 1)) {
            LittleEndian.putU16(segments[piece], bases[piece] + offset, value);
        } else {
            putU8(offset, value);
            putU8(offset + 1, value >>> Byte.SIZE);
        }
    }

    /**
     * Writes 32 bits.
     *
     * @param offset bytes from the start of the run
     * @param value  the bits
     */
    public void putI32(long offset, int value) {
        check(offset, Integer.BYTES);
        int piece = piece(offset);
        if (piece == piece(offset + Integer.BYTES - 1)) {
            LittleEndian.putI32(segments[piece], bases[piece] + offset, value);
        } else {
            putU16(offset, value);
            putU16(offset + Short.BYTES, value >>> Short.SIZE);
        }
    }

    /**
     * Writes 64 bits, not atomically.
     *
     * @param offset bytes from the start of the run
     * @param value  the bits
     */
    public void putI64(long offset, long value) {
        check(offset, Long.BYTES);
        int piece = piece(offset);
        if (piece == piece(offset + Long.BYTES - 1)) {
            LittleEndian.putI64(segments[piece], bases[piece] + offset, value);
        } else {
            putI32(offset, (int) value);
            putI32(offset + Integer.BYTES, (int) (value >>> Integer.SIZE));
        }
    }

    /**
     * Reads an unsigned 16-bit value that the device stores at any time; nothing read later is read before it.
     *
     * @param offset bytes from the start of the run; its address must be even
     * @return 0 to 65,535
     * @throws IllegalArgumentException if the address is odd
     */
    public int u16Acquire(long offset) {
        check(offset, Short.BYTES);
        int piece = piece(offset);
        return LittleEndian.u16Acquire(segments[piece], bases[piece] + offset);
    }

    /**
     * Writes 16 bits that the device may read at any time; a device that sees them sees everything written earlier.
     *
     * @param offset bytes from the start of the run; its address must be even
     * @param value  its low 16 bits count
     * @throws IllegalArgumentException if the address is odd
     */
    public void putU16Release(long offset, int value) {
        check(offset, Short.BYTES);
        int piece = piece(offset);
        LittleEndian.putU16Release(segments[piece], bases[piece] + offset, value);
    }

    /**
     * Copies out of the run.
     *
     * @param offset   bytes from the start of the run
     * @param to       where to
     * @param toOffset index in {@code to}
     * @param count    how many bytes
     */
    public void read(long offset, byte[] to, int toOffset, int count) {
        for (int i = 0; i < count; i++) {
            to[toOffset + i] = (byte) u8(offset + i);
        }
    }

    /**
     * Copies into the run.
     *
     * @param offset     bytes from the start of the run
     * @param from       where from
     * @param fromOffset index in {@code from}
     * @param count      how many bytes
     */
    public void write(long offset, byte[] from, int fromOffset, int count) {
        for (int i = 0; i < count; i++) {
            putU8(offset + i, from[fromOffset + i]);
        }
    }

    /**
     * Sets bytes to one value.
     *
     * @param offset bytes from the start of the run
     * @param count  how many bytes
     * @param value  its low byte counts
     */
    public void fill(long offset, long count, int value) {
        long eight = (value & 0xff) * 0x0101_0101_0101_0101L;
        long done = 0;
        for (; done + Long.BYTES <= count; done += Long.BYTES) {
            putI64(offset + done, eight);
        }
        for (; done < count; done++) {
            putU8(offset + done, value);
        }
    }

    @Override
    public String toString() {
        return "[0x" + Long.toHexString(address) + ", " + length + " bytes]";
    }

    private int piece(long offset) {
        return (int) ((offset + skew) >>> shift);
    }

    private void check(long offset, int width) {
        if (offset < 0 || offset > length - width) {
            throw new IndexOutOfBoundsException("offset=" + offset + " width=" + width + " in " + this);
        }
    }
}
