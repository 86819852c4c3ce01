// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver.iommu;

import org.virtio4j.driver.GuestBuffer;
import org.virtio4j.wire.iommu.FaultEvent;

/**
 * One report of the event queue (virtio 1.4, section 5.13.6.9), copied out of guest memory. Made to be filled again and
 * again by {@link IommuDriver#pollEvent}; belongs to one thread at a time.
 */
public final class FaultReport {

    private int head;
    private int flags;
    private int endpoint;
    private int reserved;
    private long address;
    private long usedLength;

    /** An empty report. */
    public FaultReport() {
    }

    void set(GuestBuffer buffer, long offset, long newUsedLength) {
        head = buffer.i32(offset + FaultEvent.REASON);
        flags = buffer.i32(offset + FaultEvent.FLAGS);
        endpoint = buffer.i32(offset + FaultEvent.ENDPOINT);
        reserved = buffer.i32(offset + FaultEvent.ENDPOINT + Integer.BYTES);
        address = buffer.i64(offset + FaultEvent.ADDRESS);
        usedLength = newUsedLength;
    }

    /**
     * Why the access was refused.
     *
     * @return {@link FaultEvent#REASON_UNKNOWN}, {@link FaultEvent#REASON_DOMAIN} or {@link FaultEvent#REASON_MAPPING}
     */
    public int reason() {
        return head & 0xff;
    }

    /**
     * What was attempted, and whether the address counts.
     *
     * @return a sum of {@link FaultEvent#FLAG_READ}, {@link FaultEvent#FLAG_WRITE} and {@link FaultEvent#FLAG_ADDRESS}
     */
    public int flags() {
        return flags;
    }

    /**
     * Who attempted it.
     *
     * @return the endpoint, unsigned
     */
    public int endpoint() {
        return endpoint;
    }

    /**
     * Where.
     *
     * @return I/O-virtual address, unsigned; means something only with {@link FaultEvent#FLAG_ADDRESS}
     */
    public long address() {
        return address;
    }

    /**
     * How much the device wrote.
     *
     * @return bytes; a report has {@link FaultEvent#SIZE}
     */
    public long usedLength() {
        return usedLength;
    }

    /**
     * Whether Linux would take the report: it calls one that is longer or has reserved bytes set invalid.
     *
     * @return true if length and reserved bytes are as they should be
     */
    public boolean wellFormed() {
        return usedLength == FaultEvent.SIZE && (head & ~0xff) == 0 && reserved == 0;
    }

    @Override
    public String toString() {
        return "fault reason " + reason() + " flags 0x" + Integer.toHexString(flags) + " endpoint "
                + Integer.toUnsignedString(endpoint) + " address 0x" + Long.toHexString(address);
    }
}
