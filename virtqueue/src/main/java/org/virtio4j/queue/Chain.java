// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.queue;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.vmm.Access;
import org.virtio4j.vmm.LittleEndian;

/**
 * One buffer that a driver made available: a device-readable part followed by a device-writable part, each a run of
 * bytes. How many descriptors they are spread over carries no meaning (virtio 1.4, section 2.7.4).
 *
 * <p>A chain is a slot, made at set-up and used again and again: one for each buffer that a device holds at a time. Its
 * descriptors were read once and are kept here, so what was checked is what is used. A slot grows to the longest chain
 * it has seen, at most to the size of its queue, and then allocates no more.
 *
 * <p>A chain belongs to the thread of its queue. Reading and writing go on inside a section of the queue.
 */
public final class Chain {

    private static final int USUAL_DESCRIPTORS = 8;

    /** Address and length of each descriptor, in turn: what is used together lies in one cache line. */
    private long[] parts = new long[2 * USUAL_DESCRIPTORS];
    private int count;
    private int readableCount;
    private long readableLength;
    private long writableLength;
    private long writtenLength;

    /**
     * The queue it came from last, and that queue's way to memory; they stay, so most buffers need not store them
     * again.
     */
    private @Nullable DeviceQueue queue;
    private @Nullable DmaHandle dma;
    private @Nullable BufferLease buffers;
    private boolean taken;
    private int id;

    /** Which opening of the gate it was taken in; see {@link DmaHandle#opening}. */
    private long opening;

    /** An empty slot. */
    public Chain() {
    }

    /**
     * The length of the device-readable part.
     *
     * @return bytes
     */
    public long readableLength() {
        return readableLength;
    }

    /**
     * The length of the device-writable part.
     *
     * @return bytes
     */
    public long writableLength() {
        return writableLength;
    }

    /**
     * How much was written without a gap from the start of the writable part: the used length that the driver will see.
     * It never says more than was written (section 2.7.8.2).
     *
     * @return bytes
     */
    public long writtenLength() {
        return writtenLength;
    }

    /**
     * Copies out of the device-readable part. Inside a section.
     *
     * @param offset   bytes from the start of the readable part
     * @param to       where to copy to
     * @param toOffset bytes from the start of {@code to}
     * @param length   bytes, at most what a section may copy
     * @return {@link DmaResult#OK}, or why the driver's buffer cannot be read; a part may have been copied then
     * @throws IndexOutOfBoundsException if that is more than the chain or {@code to} holds
     */
    public DmaResult read(long offset, MemorySegment to, long toOffset, long length) {
        checkRange(offset, length, readableLength);
        return copy(Access.READ, offset, to, toOffset, length);
    }

    /**
     * Copies into the device-writable part. Inside a section.
     *
     * @param offset     bytes from the start of the writable part
     * @param from       where to copy from
     * @param fromOffset bytes from the start of {@code from}
     * @param length     bytes, at most what a section may copy
     * @return {@link DmaResult#OK}, or why the driver's buffer cannot be written; a part may have been copied then, and
     *         counts as written
     * @throws IndexOutOfBoundsException if that is more than the chain or {@code from} holds
     */
    public DmaResult write(long offset, MemorySegment from, long fromOffset, long length) {
        checkRange(offset, length, writableLength);
        return copy(Access.WRITE, offset, from, fromOffset, length);
    }

    /**
     * Looks for the readable part where it lies, for a device that reads a few fields and makes no copy. It must read
     * each field only once, because the driver may change it meanwhile. Inside a section.
     *
     * @param length bytes from the start of the readable part, at most {@link #readableLength()}
     * @return where they begin in {@link #memory()}; −1 if they are not in one piece, or do not lie in RAM as they are,
     *         and {@link #read} is the way to them
     */
    public long readInPlace(long length) {
        if (readableCount == 0 || length > lengthOf(0) || length <= 0) {
            return -1;
        }
        return buffers().find(iovaOf(0), length);
    }

    /**
     * The memory that {@link #readInPlace} has found something in. Good until the next such call, or the section's end.
     *
     * @return the segment of a whole region
     */
    public MemorySegment memory() {
        return buffers().segment();
    }

    /**
     * Writes 32 bits to the start of the device-writable part. Inside a section.
     *
     * @param value the bits, little-endian
     * @return false if they do not lie in one piece of RAM as it is; nothing was written then, and {@link #write} is
     *         the way
     */
    public boolean putI32(int value) {
        int first = readableCount;
        if (count == first || lengthOf(first) < Integer.BYTES) {
            return false;
        }
        BufferLease lease = buffers();
        long at = lease.find(iovaOf(first), Integer.BYTES);
        if (at < 0) {
            return false;
        }
        LittleEndian.putI32(lease.segment(), at, value);
        writtenLength = Math.max(writtenLength, Integer.BYTES);
        lease.written(at, Integer.BYTES);
        return true;
    }

    /**
     * Whether DMA was stopped since this chain was taken, even if it goes on now. The buffer may have another owner by
     * then, so it is neither read nor written any more. Inside a section.
     *
     * @return true if every access gives {@link DmaResult#CLOSED} and the chain can only be dropped
     */
    public boolean isCutOff() {
        return opening != handle().opening();
    }

    /** Empties the slot without giving the buffer back, for a queue that takes nothing more. Empty slots stay so. */
    public void drop() {
        taken = false;
    }

    /** Starts to fill this slot. */
    @SuppressWarnings("ReferenceEquality") // which object it is, is the question
    void begin(DeviceQueue owner, DmaHandle handle, BufferLease lease, int bufferId) {
        checkEmpty();
        if (queue != owner) {
            queue = owner;
            dma = handle;
            buffers = lease;
        }
        taken = true;
        id = bufferId;
        opening = handle.opening();
        count = 0;
        readableCount = 0;
        readableLength = 0;
        writableLength = 0;
        writtenLength = 0;
    }

    /** Asked before anything is taken from a ring, so that a mistake loses no buffer. */
    void checkEmpty() {
        if (taken) {
            throw new IllegalStateException("chain=in use; complete it before it takes another one");
        }
    }

    /** Adds a descriptor; false if it is readable and comes after a writable one. Empty ones take no place. */
    boolean add(long iova, int length, boolean writable, int most) {
        if (!writable && count > readableCount) {
            return false;
        }
        if (length == 0) {
            return true;
        }
        int at = 2 * count;
        if (at == parts.length) {
            grow(most);
        }
        long bytes = Integer.toUnsignedLong(length);
        parts[at] = iova;
        parts[at + 1] = bytes;
        count++;
        if (writable) {
            writableLength += bytes;
        } else {
            readableCount++;
            readableLength += bytes;
        }
        return true;
    }

    /** Makes an empty slot hold a readable descriptor and a writable one, neither of them empty. */
    void addPair(long readableIova, int bytesReadable, long writableIova, int bytesWritable) {
        readableLength = Integer.toUnsignedLong(bytesReadable);
        writableLength = Integer.toUnsignedLong(bytesWritable);
        readableCount = 1;
        count = 2;
        parts[3] = writableLength;
        parts[0] = readableIova;
        parts[1] = readableLength;
        parts[2] = writableIova;
    }

    /** Gives the slot back and says which buffer it held. */
    @SuppressWarnings("ReferenceEquality") // which object it is, is the question
    int end(DeviceQueue owner) {
        if (!taken || queue != owner) {
            throw new IllegalStateException("chain=" + (taken ? "of another queue" : "empty")
                    + "; complete what this queue's poll gave, once");
        }
        taken = false;
        return id;
    }

    private DmaResult copy(Access access, long offset, MemorySegment other, long otherOffset, long length) {
        DmaHandle handle = handle();
        if (isCutOff()) {
            return DmaResult.CLOSED;
        }
        int index = access == Access.READ ? 0 : readableCount;
        long skip = offset;
        long done = 0;
        while (done < length) {
            long here = lengthOf(index);
            if (skip >= here) {
                skip -= here;
                index++;
                continue;
            }
            long piece = Math.min(Math.min(here - skip, length - done), DmaHandle.MAX_BYTES);
            DmaResult result = copyPiece(handle, access, iovaOf(index), skip, other, otherOffset + done, piece);
            if (result != DmaResult.OK) {
                // Memory that is away while it is exchanged is no fault of the driver's.
                return result == DmaResult.BUS_ERROR && !handle.memoryComplete() ? DmaResult.CLOSED : result;
            }
            done += piece;
            skip += piece;
            if (access == Access.WRITE) {
                count(offset, done);
            }
        }
        return DmaResult.OK;
    }

    private static DmaResult copyPiece(DmaHandle handle, Access access, long iova, long skip, MemorySegment other,
            long otherOffset, long piece) {
        long at = iova + skip;
        if (Long.compareUnsigned(at, iova) < 0) {
            // The driver's buffer runs over the end of the 64-bit space; no bus has such addresses.
            return DmaResult.BUS_ERROR;
        }
        return access == Access.READ
                ? handle.read(at, other, otherOffset, piece)
                : handle.write(at, other, otherOffset, piece);
    }

    private void count(long offset, long done) {
        if (offset <= writtenLength && offset + done > writtenLength) {
            writtenLength = offset + done;
        }
    }

    private DmaHandle handle() {
        DmaHandle handle = dma;
        if (!taken || handle == null) {
            throw noBuffer();
        }
        return handle;
    }

    private BufferLease buffers() {
        BufferLease lease = buffers;
        if (!taken || lease == null) {
            throw noBuffer();
        }
        return lease;
    }

    private static IllegalStateException noBuffer() {
        return new IllegalStateException("chain=empty; poll a queue into it first");
    }

    private void grow(int most) {
        parts = Arrays.copyOf(parts, 2 * Math.min(most, 2 * count));
    }

    private long iovaOf(int descriptor) {
        return parts[2 * descriptor];
    }

    private long lengthOf(int descriptor) {
        return parts[2 * descriptor + 1];
    }

    private static void checkRange(long offset, long length, long limit) {
        if (offset < 0 || length < 0 || length > limit - offset) {
            throw new IndexOutOfBoundsException("offset=" + offset + " length=" + length
                    + " in a part of " + limit + " bytes; look at readableLength() or writableLength() first");
        }
    }
}
