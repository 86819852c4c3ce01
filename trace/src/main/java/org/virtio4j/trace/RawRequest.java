// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.trace;

import java.util.Arrays;

/**
 * A request of any form, byte for byte, {@code R}: what the device could read, and what it wrote. A buffer of the
 * request queue that is no request at all can be recorded like this, too. Immutable; any thread.
 */
public final class RawRequest implements TraceEvent {
    private final int iommu;
    private final byte[] readable;
    private final long writableLength;
    private final long usedLength;
    private final byte[] written;

    private RawRequest(int iommu, byte[] readable, long writableLength, long usedLength, byte[] written) {
        FieldRange.checkIommu(iommu);
        this.iommu = iommu;
        this.readable = readable;
        this.writableLength = writableLength;
        this.usedLength = usedLength;
        this.written = written;
    }

    /**
     * A request as it lies in buffers that may be longer. Both arrays are copied.
     *
     * @param iommu          index of the IOMMU
     * @param readable       the bytes the device could read, from index 0
     * @param readableLength how many of them, 0 to {@link TraceEvent#MAX_RAW_BYTES}
     * @param writableLength how many bytes the device could write, 0 to 4294967295
     * @param usedLength     the length in the used element, 0 to 4294967295
     * @param written        the writable part from its first byte on, of which the lesser of {@code usedLength} and
     *                       {@code writableLength} bytes are kept, at most {@link TraceEvent#MAX_RAW_BYTES}
     * @return the event
     * @throws IllegalArgumentException if a length is out of range
     */
    public static RawRequest of(int iommu, byte[] readable, int readableLength, long writableLength, long usedLength,
            byte[] written) {
        FieldRange.checkRange("readableLength", readableLength, TraceEvent.MAX_RAW_BYTES);
        FieldRange.checkUnsignedInt("writableLength", writableLength);
        FieldRange.checkUnsignedInt("usedLength", usedLength);
        int kept = (int) Math.min(Math.min(usedLength, writableLength), Integer.MAX_VALUE);
        FieldRange.checkRange("kept bytes of written", kept, TraceEvent.MAX_RAW_BYTES);
        return new RawRequest(iommu, Arrays.copyOf(readable, readableLength), writableLength, usedLength,
                Arrays.copyOf(written, kept));
    }

    /** A request whose arrays nobody else keeps, and whose lengths were checked. */
    static RawRequest owning(int iommu, byte[] readable, long writableLength, long usedLength, byte[] written) {
        return new RawRequest(iommu, readable, writableLength, usedLength, written);
    }

    @Override
    public EventKind kind() {
        return EventKind.RAW;
    }

    @Override
    public int iommu() {
        return iommu;
    }

    /**
     * The bytes the device could read.
     *
     * @return a copy, 0 to {@link TraceEvent#MAX_RAW_BYTES} bytes
     */
    public byte[] readable() {
        return readable.clone();
    }

    /**
     * How many bytes the device could write.
     *
     * @return 0 to 4294967295
     */
    public long writableLength() {
        return writableLength;
    }

    /**
     * The length with which the request came back in the used ring.
     *
     * @return 0 to 4294967295
     */
    public long usedLength() {
        return usedLength;
    }

    /**
     * The first bytes of the writable part, as they were when the request came back.
     *
     * @return a copy, as many bytes as the lesser of {@link #usedLength()} and {@link #writableLength()}
     */
    public byte[] written() {
        return written.clone();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof RawRequest raw && iommu == raw.iommu && writableLength == raw.writableLength
                && usedLength == raw.usedLength && Arrays.equals(readable, raw.readable)
                && Arrays.equals(written, raw.written);
    }

    @Override
    public int hashCode() {
        return 31 * Arrays.hashCode(readable) + Arrays.hashCode(written);
    }

    @Override
    public String toString() {
        return text();
    }

    void appendTo(LineEncoder encoder) {
        encoder.bytes(readable);
        encoder.decimal(writableLength);
        encoder.decimal(usedLength);
        encoder.bytes(written);
    }
}
