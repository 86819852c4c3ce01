// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.trace;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * One event of a trace, made to be filled again and again: by {@link TraceReader#next()}, or by one of the {@code set}
 * methods on its way to {@link TraceWriter#write}. Which getters mean something depends on {@link #kind()}; the others
 * return 0.
 *
 * <p>Addresses, domains, endpoints and flags are unsigned, whatever Java makes of them. No method allocates, but
 * {@link #toString()} and {@code setRaw} with more bytes than this event ever held. Not for two threads at once.
 */
public final class TraceEvent {
    /** Returned by {@link #removed()} where the recording does not say how many mappings went away. */
    public static final long UNRECORDED = -1;
    /** The most readable bytes, and the most written bytes, that a RAW event can hold. */
    public static final int MAX_RAW_BYTES = 65_536;
    /** The highest status a request can be recorded with in any form but RAW. */
    public static final int MAX_STATUS = 8;

    private static final long MAX_UNSIGNED_INT = 0xffff_ffffL;

    private EventKind kind = EventKind.KICK;
    private long line;
    private int iommu;
    private int domain;
    private int endpoint;
    private int flags;
    private boolean flagsRecorded;
    private int status;
    private long removed;
    private long virtStart;
    private long virtEnd;
    private long physStart;
    private int access;
    private TranslationKind translation = TranslationKind.ADDRESS;
    private long address;
    private int value;
    private byte[] readable = new byte[256];
    private int readableLength;
    private long writableLength;
    private long usedLength;
    private byte[] written = new byte[256];
    private int writtenLength;

    /** Makes an event that is a KICK of the IOMMU with index 0. */
    public TraceEvent() {
    }

    /**
     * Which event this is.
     *
     * @return the kind
     */
    public EventKind kind() {
        return kind;
    }

    /**
     * Where the event was read.
     *
     * @return the line's number in the uncompressed text, counted from 1, or 0 if it was not read
     */
    public long line() {
        return line;
    }

    /**
     * Which IOMMU the event belongs to.
     *
     * @return its index in {@link TraceHeader#iommus()}
     */
    public int iommu() {
        return iommu;
    }

    /**
     * The domain of an ATTACH, DETACH, MAP or UNMAP.
     *
     * @return the domain's number, unsigned
     */
    public int domain() {
        return domain;
    }

    /**
     * The endpoint of a PROBE, ATTACH, DETACH, TRANSLATE or FAULT.
     *
     * @return the endpoint's identifier, unsigned
     */
    public int endpoint() {
        return endpoint;
    }

    /**
     * The flags of an ATTACH, MAP or FAULT.
     *
     * @return the flags as the specification defines them for each; 0 if they were not recorded
     */
    public int flags() {
        return flags;
    }

    /**
     * Whether {@link #flags()} was recorded. Version 1 does not have it for ATTACH.
     *
     * @return false for an ATTACH without recorded flags and for kinds that have none
     */
    public boolean flagsRecorded() {
        return flagsRecorded;
    }

    /**
     * The status that a PROBE, ATTACH, DETACH, MAP or UNMAP was answered with.
     *
     * @return 0 to {@link #MAX_STATUS}
     */
    public int status() {
        return status;
    }

    /**
     * How many mappings went away with an UNMAP, or with the domains that ended by an ATTACH or DETACH.
     *
     * @return the number, or {@link #UNRECORDED}, as always for version 1's ATTACH
     */
    public long removed() {
        return removed;
    }

    /**
     * The first I/O virtual address of a MAP, UNMAP or TRANSLATE.
     *
     * @return the address, unsigned
     */
    public long virtStart() {
        return virtStart;
    }

    /**
     * The last I/O virtual address of a MAP or UNMAP.
     *
     * @return the address, inclusive and unsigned
     */
    public long virtEnd() {
        return virtEnd;
    }

    /**
     * The guest-physical address that a MAP maps {@link #virtStart()} to.
     *
     * @return the address, unsigned
     */
    public long physStart() {
        return physStart;
    }

    /**
     * The I/O virtual address of a TRANSLATE.
     *
     * @return the address, unsigned
     */
    public long iova() {
        return virtStart;
    }

    /**
     * The kind of access of a TRANSLATE.
     *
     * @return 1 for a read, 2 for a write
     */
    public int access() {
        return access;
    }

    /**
     * What became of a TRANSLATE.
     *
     * @return the outcome; {@link TranslationKind#ADDRESS} for other kinds of event
     */
    public TranslationKind translation() {
        return translation;
    }

    /**
     * The guest-physical address that a TRANSLATE with {@link TranslationKind#ADDRESS} led to, or the I/O virtual
     * address of a FAULT.
     *
     * @return the address, unsigned
     */
    public long address() {
        return address;
    }

    /**
     * The reason of a FAULT.
     *
     * @return 0 to 255, as the specification defines it
     */
    public int reason() {
        return kind == EventKind.FAULT ? value : 0;
    }

    /**
     * What a STATUS event's driver wrote.
     *
     * @return 0 to 255, where 0 is a reset
     */
    public int deviceStatus() {
        return kind == EventKind.STATUS ? value : 0;
    }

    /**
     * What a BYPASS event's driver wrote.
     *
     * @return 0 to 255, of which the specification allows 0 and 1
     */
    public int bypass() {
        return kind == EventKind.BYPASS ? value : 0;
    }

    /**
     * The readable part of a RAW request.
     *
     * @return this event's own array, whose first {@link #readableLength()} bytes count; replaced when a longer
     *     request comes
     */
    public byte[] readable() {
        return readable;
    }

    /**
     * How many bytes of a RAW request the device could read.
     *
     * @return 0 to {@link #MAX_RAW_BYTES}
     */
    public int readableLength() {
        return readableLength;
    }

    /**
     * How many bytes of a RAW request the device could write.
     *
     * @return 0 to 4294967295
     */
    public long writableLength() {
        return writableLength;
    }

    /**
     * The length with which a RAW request came back in the used ring.
     *
     * @return 0 to 4294967295
     */
    public long usedLength() {
        return usedLength;
    }

    /**
     * The first bytes of a RAW request's writable part, as they were when it came back.
     *
     * @return this event's own array, whose first {@link #writtenLength()} bytes count; replaced when a longer one
     *     comes
     */
    public byte[] written() {
        return written;
    }

    /**
     * How many bytes {@link #written()} holds.
     *
     * @return the lesser of {@link #usedLength()} and {@link #writableLength()}
     */
    public int writtenLength() {
        return writtenLength;
    }

    /**
     * Makes this a SYSTEM reset.
     *
     * @param iommu index of the IOMMU
     */
    public void setReset(int iommu) {
        clear(EventKind.RESET_SYSTEM, iommu);
    }

    /**
     * Makes this a write of the device status register.
     *
     * @param iommu index of the IOMMU
     * @param deviceStatus what was written, 0 to 255
     * @throws IllegalArgumentException if {@code deviceStatus} is out of range
     */
    public void setStatus(int iommu, int deviceStatus) {
        clear(EventKind.STATUS, iommu);
        value = checkRange("deviceStatus", deviceStatus, 255);
    }

    /**
     * Makes this a PROBE.
     *
     * @param iommu index of the IOMMU
     * @param endpoint identifier of the endpoint, unsigned
     * @param status what it was answered with, 0 to {@link #MAX_STATUS}
     * @throws IllegalArgumentException if {@code status} is out of range
     */
    public void setProbe(int iommu, int endpoint, int status) {
        clear(EventKind.PROBE, iommu);
        this.endpoint = endpoint;
        this.status = checkRange("status", status, MAX_STATUS);
    }

    /**
     * Makes this an ATTACH.
     *
     * @param iommu index of the IOMMU
     * @param domain number of the domain, unsigned
     * @param endpoint identifier of the endpoint, unsigned
     * @param flags the request's flags; {@link #omitFlags()} afterwards if they are not known
     * @param status what it was answered with, 0 to {@link #MAX_STATUS}
     * @param removed mappings of the domain that ended because the endpoint left it, 0 to 4294967295, or
     *     {@link #UNRECORDED}
     * @throws IllegalArgumentException if {@code status} or {@code removed} is out of range
     */
    public void setAttach(int iommu, int domain, int endpoint, int flags, int status, long removed) {
        setDomainRequest(EventKind.ATTACH, iommu, domain, status);
        this.endpoint = endpoint;
        this.removed = removed == UNRECORDED ? UNRECORDED : checkUnsignedInt("removed", removed);
        this.flags = flags;
        flagsRecorded = true;
    }

    /** Marks the flags of an ATTACH as not recorded. */
    public void omitFlags() {
        flags = 0;
        flagsRecorded = false;
    }

    /**
     * Makes this a DETACH.
     *
     * @param iommu index of the IOMMU
     * @param domain number of the domain, unsigned
     * @param endpoint identifier of the endpoint, unsigned
     * @param status what it was answered with, 0 to {@link #MAX_STATUS}
     * @param removed mappings of the domain that ended because the endpoint left it, 0 to 4294967295, or
     *     {@link #UNRECORDED}
     * @throws IllegalArgumentException if {@code status} or {@code removed} is out of range
     */
    public void setDetach(int iommu, int domain, int endpoint, int status, long removed) {
        setDomainRequest(EventKind.DETACH, iommu, domain, status);
        this.endpoint = endpoint;
        this.removed = removed == UNRECORDED ? UNRECORDED : checkUnsignedInt("removed", removed);
    }

    /**
     * Makes this a MAP.
     *
     * @param iommu index of the IOMMU
     * @param domain number of the domain, unsigned
     * @param virtStart first I/O virtual address
     * @param virtEnd last I/O virtual address, inclusive
     * @param physStart guest-physical address of the first byte
     * @param flags the request's flags
     * @param status what it was answered with, 0 to {@link #MAX_STATUS}
     * @throws IllegalArgumentException if {@code status} is out of range
     */
    public void setMap(int iommu, int domain, long virtStart, long virtEnd, long physStart, int flags, int status) {
        setDomainRequest(EventKind.MAP, iommu, domain, status);
        this.virtStart = virtStart;
        this.virtEnd = virtEnd;
        this.physStart = physStart;
        this.flags = flags;
        flagsRecorded = true;
    }

    /**
     * Makes this an UNMAP.
     *
     * @param iommu index of the IOMMU
     * @param domain number of the domain, unsigned
     * @param virtStart first I/O virtual address
     * @param virtEnd last I/O virtual address, inclusive
     * @param status what it was answered with, 0 to {@link #MAX_STATUS}
     * @param removed mappings that went away, 0 to 4294967295
     * @throws IllegalArgumentException if {@code status} or {@code removed} is out of range
     */
    public void setUnmap(int iommu, int domain, long virtStart, long virtEnd, int status, long removed) {
        setDomainRequest(EventKind.UNMAP, iommu, domain, status);
        this.virtStart = virtStart;
        this.virtEnd = virtEnd;
        this.removed = checkUnsignedInt("removed", removed);
    }

    /**
     * Makes this a translation.
     *
     * @param iommu index of the IOMMU
     * @param endpoint identifier of the endpoint, unsigned
     * @param iova I/O virtual address of the access
     * @param access 1 for a read, 2 for a write
     * @param translation what became of it
     * @param address guest-physical address, which counts with {@link TranslationKind#ADDRESS} only
     * @throws IllegalArgumentException if {@code access} is neither
     */
    public void setTranslate(int iommu, int endpoint, long iova, int access, TranslationKind translation,
            long address) {
        if (access != 1 && access != 2) {
            throw new IllegalArgumentException("access=" + access + ": give 1 for a read or 2 for a write");
        }
        clear(EventKind.TRANSLATE, iommu);
        this.endpoint = endpoint;
        virtStart = iova;
        this.access = access;
        this.translation = translation;
        this.address = translation == TranslationKind.ADDRESS ? address : 0;
    }

    /**
     * Makes this a write of the bypass byte.
     *
     * @param iommu index of the IOMMU
     * @param bypass what was written, 0 to 255
     * @throws IllegalArgumentException if {@code bypass} is out of range
     */
    public void setBypass(int iommu, int bypass) {
        clear(EventKind.BYPASS, iommu);
        value = checkRange("bypass", bypass, 255);
    }

    /**
     * Makes this a fault report.
     *
     * @param iommu index of the IOMMU
     * @param reason the report's reason, 0 to 255
     * @param flags the report's flags
     * @param endpoint identifier of the endpoint, unsigned
     * @param address the report's address
     * @throws IllegalArgumentException if {@code reason} is out of range
     */
    public void setFault(int iommu, int reason, int flags, int endpoint, long address) {
        clear(EventKind.FAULT, iommu);
        value = checkRange("reason", reason, 255);
        this.flags = flags;
        flagsRecorded = true;
        this.endpoint = endpoint;
        this.address = address;
    }

    /**
     * Makes this a notification of the request queue.
     *
     * @param iommu index of the IOMMU
     */
    public void setKick(int iommu) {
        clear(EventKind.KICK, iommu);
    }

    /**
     * Makes this a request byte for byte. Both arrays are copied.
     *
     * @param iommu index of the IOMMU
     * @param readable the bytes the device could read, from index 0
     * @param readableLength how many of them, 0 to {@link #MAX_RAW_BYTES}
     * @param writableLength how many bytes the device could write, 0 to 4294967295
     * @param usedLength the length in the used element, 0 to 4294967295
     * @param written the writable part from its first byte on, of which the lesser of {@code usedLength} and
     *     {@code writableLength} bytes are kept, at most {@link #MAX_RAW_BYTES}
     * @throws IllegalArgumentException if a length is out of range
     */
    public void setRaw(int iommu, byte[] readable, int readableLength, long writableLength, long usedLength,
            byte[] written) {
        checkRange("readableLength", readableLength, MAX_RAW_BYTES);
        checkUnsignedInt("writableLength", writableLength);
        checkUnsignedInt("usedLength", usedLength);
        int kept = (int) Math.min(Math.min(usedLength, writableLength), Integer.MAX_VALUE);
        checkRange("kept bytes of written", kept, MAX_RAW_BYTES);
        clear(EventKind.RAW, iommu);
        System.arraycopy(readable, 0, readableSpace(readableLength), 0, readableLength);
        this.readableLength = readableLength;
        this.writableLength = writableLength;
        this.usedLength = usedLength;
        System.arraycopy(written, 0, writtenSpace(kept), 0, kept);
        writtenLength = kept;
    }

    /**
     * Whether another event says the same. Where the two were read does not count.
     *
     * @param other the event to compare with
     * @return true if every field of the two is the same
     */
    public boolean sameAs(TraceEvent other) {
        return kind == other.kind && iommu == other.iommu && domain == other.domain && endpoint == other.endpoint
                && flags == other.flags && flagsRecorded == other.flagsRecorded && status == other.status
                && removed == other.removed && virtStart == other.virtStart && virtEnd == other.virtEnd
                && physStart == other.physStart && access == other.access && translation == other.translation
                && address == other.address && value == other.value && sameRaw(other);
    }

    private boolean sameRaw(TraceEvent other) {
        return writableLength == other.writableLength && usedLength == other.usedLength
                && Arrays.equals(readable, 0, readableLength, other.readable, 0, other.readableLength)
                && Arrays.equals(written, 0, writtenLength, other.written, 0, other.writtenLength);
    }

    /**
     * The event as {@link TraceWriter} would write it, without the line's end.
     *
     * @return a line of version 2
     */
    @Override
    public String toString() {
        LineEncoder encoder = new LineEncoder(128);
        encoder.append(this);
        return new String(encoder.bytes(), 0, encoder.length() - 1, StandardCharsets.US_ASCII);
    }

    int value() {
        return value;
    }

    void setLine(long line) {
        this.line = line;
    }

    /** Room for at least {@code length} readable bytes; {@link #setRawLengths} says how many were put there. */
    byte[] readableSpace(int length) {
        if (readable.length < length) {
            readable = new byte[roundUp(length)];
        }
        return readable;
    }

    /** Room for at least {@code length} written bytes; {@link #setRawLengths} says how many were put there. */
    byte[] writtenSpace(int length) {
        if (written.length < length) {
            written = new byte[roundUp(length)];
        }
        return written;
    }

    void setRawLengths(int iommu, int readableLength, long writableLength, long usedLength, int writtenLength) {
        clear(EventKind.RAW, iommu);
        this.readableLength = readableLength;
        this.writableLength = writableLength;
        this.usedLength = usedLength;
        this.writtenLength = writtenLength;
    }

    private void setDomainRequest(EventKind kind, int iommu, int domain, int status) {
        clear(kind, iommu);
        this.domain = domain;
        this.status = checkRange("status", status, MAX_STATUS);
    }

    private void clear(EventKind kind, int iommu) {
        this.kind = kind;
        this.iommu = checkRange("iommu", iommu, TraceHeader.MAX_IOMMUS - 1);
        line = 0;
        domain = 0;
        endpoint = 0;
        flags = 0;
        flagsRecorded = false;
        status = 0;
        removed = 0;
        virtStart = 0;
        virtEnd = 0;
        physStart = 0;
        access = 0;
        translation = TranslationKind.ADDRESS;
        address = 0;
        value = 0;
        readableLength = 0;
        writableLength = 0;
        usedLength = 0;
        writtenLength = 0;
    }

    private static int roundUp(int length) {
        return Integer.highestOneBit(length) << 1;
    }

    private static int checkRange(String name, int value, int max) {
        if (value < 0 || value > max) {
            throw new IllegalArgumentException(name + "=" + value + ": give 0 to " + max);
        }
        return value;
    }

    private static long checkUnsignedInt(String name, long value) {
        if (value < 0 || value > MAX_UNSIGNED_INT) {
            throw new IllegalArgumentException(name + "=" + value + ": give 0 to " + MAX_UNSIGNED_INT);
        }
        return value;
    }
}
