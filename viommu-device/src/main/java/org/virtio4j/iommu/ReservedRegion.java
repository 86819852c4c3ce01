// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

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
        /** Nothing: the access is a fault. */
        RESERVED,
        /** A write is a message-signalled interrupt; it passes untranslated while the endpoint is attached. */
        MSI
    }

    /**
     * Checks the range.
     *
     * @throws IllegalArgumentException if it is inverted
     */
    public ReservedRegion {
        if (Long.compareUnsigned(end, start) < 0) {
            throw new IllegalArgumentException("start=0x" + Long.toHexString(start) + " lies behind end=0x"
                    + Long.toHexString(end) + "; the end is inclusive");
        }
    }

    boolean holds(long address) {
        return Long.compareUnsigned(address - start, end - start) <= 0;
    }

    boolean overlaps(long first, long last) {
        return Long.compareUnsigned(first, end) <= 0 && Long.compareUnsigned(start, last) <= 0;
    }
}
