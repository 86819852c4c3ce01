// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver.hostile;

/**
 * Into which pieces the two parts of a request are cut, which must make no difference to a device (virtio 1.4, section
 * 2.7.4); for {@link HostileRequests#framing}. Immutable; any thread.
 *
 * <p>Each part is cut into pieces of the given lengths, from the first to the last and again from the first; the last
 * piece is as long as what is left. An empty part has no piece.
 */
public final class Framing {

    /** Each part is one piece: what drivers usually do. */
    public static final Framing WHOLE = new Framing(new long[] {Long.MAX_VALUE}, new long[] {Long.MAX_VALUE});

    private final long[] readable;
    private final long[] writable;

    private Framing(long[] readable, long[] writable) {
        this.readable = readable;
        this.writable = writable;
    }

    /**
     * Pieces of chosen lengths.
     *
     * @param readable lengths in bytes for the part that the device reads, such as {@code {1, 3}}; 0 makes a descriptor
     *                 of length 0
     * @param writable lengths in bytes for the part that the device writes
     * @return the framing
     * @throws IllegalArgumentException if a length is negative, or none of a part is positive
     */
    public static Framing of(long[] readable, long[] writable) {
        checkLengths("readable", readable);
        checkLengths("writable", writable);
        return new Framing(readable.clone(), writable.clone());
    }

    /**
     * Pieces of one length.
     *
     * @param length bytes of each piece, more than 0
     * @return the framing
     * @throws IllegalArgumentException if the length is not positive
     */
    public static Framing every(long length) {
        return of(new long[] {length}, new long[] {length});
    }

    /** Appends the pieces of the readable part behind {@code from} others; returns how many there are then. */
    int cutReadable(long address, long length, long[] addresses, long[] lengths, int from) {
        return cut(readable, address, length, addresses, lengths, from);
    }

    /** Appends the pieces of the writable part behind {@code from} others; returns how many there are then. */
    int cutWritable(long address, long length, long[] addresses, long[] lengths, int from) {
        return cut(writable, address, length, addresses, lengths, from);
    }

    private static int cut(long[] sizes, long address, long length, long[] addresses, long[] lengths, int from) {
        int count = from;
        int size = 0;
        long done = 0;
        while (done < length) {
            if (count == lengths.length) {
                throw new IllegalArgumentException("framing cuts a request of the queue into more than " + count
                        + " descriptors; use longer pieces or a larger queue");
            }
            long piece = Math.min(sizes[size], length - done);
            addresses[count] = address + done;
            lengths[count] = piece;
            count++;
            done += piece;
            size = size + 1 == sizes.length ? 0 : size + 1;
        }
        return count;
    }

    private static void checkLengths(String part, long[] lengths) {
        long longest = 0;
        for (long length : lengths) {
            if (length < 0) {
                throw new IllegalArgumentException(part + "=" + length + ", but lengths are 0 or more bytes");
            }
            longest = Math.max(longest, length);
        }
        if (longest == 0) {
            throw new IllegalArgumentException(part + " has no positive length, so nothing would ever be cut");
        }
    }
}
