// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.embedder;

/**
 * A stretch of I/O-virtual addresses.
 *
 * @param start first address, unsigned
 * @param end   last address, inclusive, unsigned
 */
public record IovaRange(long start, long end) {

    /**
     * Checks the range.
     *
     * @throws IllegalArgumentException if it is inverted
     */
    public IovaRange {
        if (Long.compareUnsigned(end, start) < 0) {
            throw new IllegalArgumentException("start=0x" + Long.toHexString(start) + " lies behind end=0x"
                    + Long.toHexString(end) + "; the end is inclusive");
        }
    }

    /**
     * Whether the range has all addresses of another.
     *
     * @param first first address of the other
     * @param last  last address of the other, inclusive
     * @return whether it has
     */
    public boolean holds(long first, long last) {
        return Long.compareUnsigned(start, first) <= 0 && Long.compareUnsigned(first, last) <= 0
                && Long.compareUnsigned(last, end) <= 0;
    }

    @Override
    public String toString() {
        return "0x" + Long.toHexString(start) + " to 0x" + Long.toHexString(end);
    }
}
