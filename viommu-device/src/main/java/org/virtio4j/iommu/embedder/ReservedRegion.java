// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.embedder;

import org.virtio4j.vmm.GuestMemory;

/**
 * I/O-virtual addresses that no driver may map for an endpoint (virtio 1.4, section 5.13.6.8.1, RESV_MEM).
 *
 * @param start first I/O-virtual address
 * @param end   last I/O-virtual address, inclusive
 * @param kind  what an access there means
 */
public record ReservedRegion(long start, long end, Kind kind) {

    /** What an access to a reserved region means. */
    public enum Kind {
        /** Nothing: the access is a fault, in bypass as well. Every page that the region touches is reserved. */
        RESERVED,
        /**
         * A write is a message-signalled interrupt, which passes untranslated while the endpoint is attached or in
         * bypass, and reaches a doorbell or nothing; {@link ReservedRegions} has the cases in a table. A region of this
         * kind is made of whole pages of 4096 bytes.
         */
        MSI
    }

    /**
     * Checks the range.
     *
     * @throws IllegalArgumentException if it is inverted, or of kind MSI and not made of whole pages
     */
    public ReservedRegion {
        if (Long.compareUnsigned(end, start) < 0) {
            throw new IllegalArgumentException("start=0x" + Long.toHexString(start) + " lies behind end=0x"
                    + Long.toHexString(end) + "; the end is inclusive");
        }
        if (kind == Kind.MSI && (firstPage(start) != start || lastPage(end) != end)) {
            throw new IllegalArgumentException("start=0x" + Long.toHexString(start) + " end=0x"
                    + Long.toHexString(end) + " of kind MSI are not whole pages of 4096 bytes; give start=0x"
                    + Long.toHexString(firstPage(start)) + " end=0x" + Long.toHexString(lastPage(end)));
        }
    }

    private static long firstPage(long address) {
        return address & -GuestMemory.PAGE_SIZE;
    }

    private static long lastPage(long address) {
        return address | GuestMemory.PAGE_SIZE - 1;
    }

    /**
     * Whether the region has an address in common with a range.
     *
     * @param first first address of the range
     * @param last  last address of the range, inclusive
     * @return whether it has
     */
    public boolean overlaps(long first, long last) {
        return Long.compareUnsigned(first, end) <= 0 && Long.compareUnsigned(start, last) <= 0;
    }
}
