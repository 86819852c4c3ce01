// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.request;

/**
 * What a request may ask for, as the configuration shows it to the driver (virtio 1.4, section 5.13.4); ends are
 * inclusive.
 *
 * @param pageSizeMask the page sizes, of which the lowest is the granule
 * @param inputStart   first I/O-virtual address that can be mapped
 * @param inputEnd     last of them
 * @param domainStart  lowest domain number, unsigned
 * @param domainEnd    highest domain number, unsigned
 * @param probeSize    bytes that the properties of an endpoint have
 */
public record RequestLimits(long pageSizeMask, long inputStart, long inputEnd, int domainStart, int domainEnd,
        int probeSize) {

    /**
     * The smallest page that can be mapped: the lowest bit of the mask (virtio 1.4, section 5.13.6).
     *
     * @return bytes, a power of two
     */
    public long granule() {
        return Long.lowestOneBit(pageSizeMask);
    }

    boolean inInputRange(long virtStart, long virtEnd) {
        return Long.compareUnsigned(virtStart, inputStart) >= 0 && Long.compareUnsigned(virtEnd, inputEnd) <= 0;
    }

    boolean inDomainRange(int domain) {
        return Integer.compareUnsigned(domain, domainStart) >= 0 && Integer.compareUnsigned(domain, domainEnd) <= 0;
    }
}
