// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import org.virtio4j.wire.block.RequestStatus;

/** What became of a request to a {@link VirtioBlock}, and why. A driver sees no more of it than the status. */
public enum BlockOutcome {
    /** Done. */
    OK(RequestStatus.OK),
    /** The chain has no writable byte, so nothing was done and it went back unwritten. */
    NO_STATUS(RequestStatus.IOERR),
    /** The readable part is shorter than a header. */
    NO_HEADER(RequestStatus.IOERR),
    /** A type that does not exist, or whose feature was not negotiated. */
    UNKNOWN_TYPE(RequestStatus.UNSUPP),
    /** The data is no multiple of a sector, is no whole number of ranges, or has no room for the device's name. */
    BAD_LENGTH(RequestStatus.IOERR),
    /** Sectors beyond the end of the disk. */
    OUT_OF_RANGE(RequestStatus.IOERR),
    /** A write to a disk that cannot be written. */
    READ_ONLY(RequestStatus.IOERR),
    /** More ranges in a DISCARD or WRITE_ZEROES than the configuration space allows. */
    TOO_MANY_RANGES(RequestStatus.IOERR),
    /** A range of a DISCARD or WRITE_ZEROES with more sectors than the configuration space allows. */
    RANGE_TOO_LONG(RequestStatus.IOERR),
    /** A flag of a range that is reserved, or UNMAP in a DISCARD. */
    UNKNOWN_FLAG(RequestStatus.UNSUPP),
    /** The driver's buffer lies where there is no memory, or where the device may not reach it. */
    MEMORY(RequestStatus.IOERR),
    /** The host could not read or write the file: {@link BlockCounters#lastFileError}. */
    FILE(RequestStatus.IOERR),
    /**
     * The file had to be opened again, as after an interrupt, and its name leads to another file by now, which is left
     * alone. Requests are carried out again as soon as it leads to the same file as at first.
     */
    OTHER_FILE(RequestStatus.IOERR),
    /**
     * A FLUSH, or a write through the cache, after a flush that failed. What the host lost then stays lost, so no later
     * success would be true (section 5.2.6.2); only a new disk, made of what is on the storage, is free of it.
     */
    UNSTABLE(RequestStatus.IOERR),
    /** The queue was reset, or DMA stopped, before the request was done. It is not answered. */
    ABANDONED(RequestStatus.IOERR);

    private final int status;

    BlockOutcome(int status) {
        this.status = status;
    }

    /**
     * What the driver is told.
     *
     * @return one of {@link RequestStatus}
     */
    public int status() {
        return status;
    }
}
