// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.embedder;

import java.util.List;

/**
 * What an IOMMU can do for one endpoint, for a layer that manages mappings: a mirror in a host's IOMMU, or a generic
 * interface of an emulator. It is what the device offers; a driver may accept less. Immutable, and the same for as long
 * as the IOMMU lives.
 *
 * @param pageSizeMask   the page sizes: bit n stands for 2^n bytes; the lowest is the granule, further ones are hints
 * @param usable         what can be mapped for the endpoint, in ascending order: the input range without the endpoint's
 *                       reserved regions, cut to whole pages of the granule; empty without the feature MAP_UNMAP
 * @param domainStart    lowest number of a domain, unsigned
 * @param domainEnd      highest number of a domain, inclusive, unsigned
 * @param coherent       whether the endpoint's DMA sees what processors wrote, and the other way around, without cache
 *                       maintenance; always true for this device, whose DMA is loads and stores of the host
 * @param mmioMappings   whether a mapping may carry the flag MMIO
 * @param probe          whether a driver can ask for the endpoint's reserved regions
 * @param bypass         who decides whether translation is bypassed
 * @param bypassAtBoot   whether an endpoint that is attached to nothing reaches guest-physical memory after a reset of
 *                       the machine
 */
public record IommuCapabilities(long pageSizeMask, List<IovaRange> usable, int domainStart, int domainEnd,
        boolean coherent, boolean mmioMappings, boolean probe, Bypass bypass, boolean bypassAtBoot) {

    /** Who decides whether translation is bypassed. */
    public enum Bypass {
        /** Nobody: an endpoint that is attached to nothing reaches nothing. */
        NONE,
        /** The driver, by the bypass byte and by domains that bypass translation (BYPASS_CONFIG). */
        BY_DRIVER,
        /** The embedder: endpoints that are attached to nothing bypass translation, and the driver cannot change it. */
        ALWAYS
    }

    /** Keeps the values. */
    public IommuCapabilities {
        usable = List.copyOf(usable);
    }

    /**
     * The smallest page that can be mapped.
     *
     * @return bytes, a power of two
     */
    public long granule() {
        return Long.lowestOneBit(pageSizeMask);
    }

    /**
     * The addresses from the first usable one to the last, with the holes between them.
     *
     * @return what a layer calls its aperture
     * @throws java.util.NoSuchElementException if nothing is usable
     */
    public IovaRange aperture() {
        return new IovaRange(usable.getFirst().start(), usable.getLast().end());
    }
}
