// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver.iommu;

import org.virtio4j.driver.GuestBuffer;
import org.virtio4j.wire.iommu.RequestStatus;
import org.virtio4j.wire.iommu.RequestTail;

/**
 * A request that came back from a virtio-iommu: what the driver asked, what lies in the request's writable part, and
 * what the used ring says about it. The writable part was filled with {@code 0xff} before, so what the device did not
 * write shows.
 *
 * <p>Valid while {@link AnswerListener#answered} runs; nothing here allocates.
 */
public final class RequestResult {

    /** What {@link #status()} returns where the device wrote nothing: no status has this number. */
    public static final int UNWRITTEN = 0xff;

    private long tag;
    private int type;
    private long usedLength;
    private long writableLength;
    private GuestBuffer buffer;
    private long offset;

    /** Starts on some buffer that {@link #set} replaces. */
    RequestResult(GuestBuffer buffer) {
        this.buffer = buffer;
    }

    void set(long newTag, int newType, long newUsedLength, long newWritableLength) {
        tag = newTag;
        type = newType;
        usedLength = newUsedLength;
        writableLength = newWritableLength;
    }

    void setWritable(GuestBuffer newBuffer, long newOffset) {
        buffer = newBuffer;
        offset = newOffset;
    }

    /**
     * Which request it is.
     *
     * @return the number the request was made with
     */
    public long tag() {
        return tag;
    }

    /**
     * What was asked.
     *
     * @return the first byte of the readable part, see {@link org.virtio4j.wire.iommu.RequestType}; 0 for a raw request
     *     without one
     */
    public int type() {
        return type;
    }

    /**
     * How many bytes the device says it wrote.
     *
     * @return the used element's {@code len}
     */
    public long usedLength() {
        return usedLength;
    }

    /**
     * How many bytes the device was given to write.
     *
     * @return length of the writable part in bytes
     */
    public long writableLength() {
        return writableLength;
    }

    /**
     * The status that lies in guest memory, whatever the used length says. It is taken where the used length ends, or,
     * if that is too short for a tail, where the writable part does.
     *
     * @return a number as in {@link RequestStatus}, or {@link #UNWRITTEN}, also where there is no room for a tail
     */
    public int status() {
        long end = usedLength >= RequestTail.SIZE ? usedLength : writableLength;
        boolean room = end >= RequestTail.SIZE && end <= buffer.length() - offset;
        return room ? u8(end - RequestTail.SIZE + RequestTail.STATUS) : UNWRITTEN;
    }

    /**
     * The status as Linux sees it: it copies the tail back only when the used length is exactly the length of the
     * writable part, and else takes its own tail of zeros for the answer.
     *
     * @return {@link #status()}, or {@link RequestStatus#OK} where the device's status is lost
     */
    public int statusInLinux() {
        return copiedBack() ? status() : RequestStatus.OK;
    }

    /**
     * Whether Linux would look at the status at all.
     *
     * @return true if the used length is the length of the writable part
     */
    public boolean copiedBack() {
        return usedLength == writableLength;
    }

    /**
     * Reads a byte of the writable part.
     *
     * @param place bytes from the start of the part
     * @return 0 to 255
     */
    public int u8(long place) {
        return buffer.u8(offset + place);
    }

    /**
     * Reads 16 bits of the writable part.
     *
     * @param place bytes from the start of the part
     * @return 0 to 65,535
     */
    public int u16(long place) {
        return buffer.u16(offset + place);
    }

    /**
     * Reads 32 bits of the writable part.
     *
     * @param place bytes from the start of the part
     * @return the bits
     */
    public int i32(long place) {
        return buffer.i32(offset + place);
    }

    /**
     * Reads 64 bits of the writable part.
     *
     * @param place bytes from the start of the part
     * @return the bits
     */
    public long i64(long place) {
        return buffer.i64(offset + place);
    }

    /**
     * Copies out of the writable part.
     *
     * @param place   bytes from the start of the part
     * @param to      where to
     * @param toPlace index in {@code to}
     * @param count   how many bytes
     */
    public void read(long place, byte[] to, int toPlace, int count) {
        buffer.read(offset + place, to, toPlace, count);
    }

    @Override
    public String toString() {
        return "request " + tag + " of type " + type + ": status " + RequestStatus.name(status()) + ", used length "
                + usedLength + " of " + writableLength;
    }
}
