// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks;

import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.translate.ExtentSink;
import org.virtio4j.dma.translate.TranslateResult;
import org.virtio4j.vmm.Access;

/** A guest that maps and unmaps through its IOMMU, and a device that translates, each time in a section of its own. */
public final class CachedGuest implements AutoCloseable {

    private static final ExtentSink NOWHERE = (virtStart, virtEnd, physStart, permitted) -> { };

    private final IommuGuest guest;
    private final DmaHandle dma;

    /**
     * Nothing is mapped yet.
     *
     * @param mostMappings at a time
     */
    public CachedGuest(long mostMappings) {
        guest = new IommuGuest(TransportKind.MMIO, mostMappings);
        dma = guest.endpointSpace().open("device");
    }

    public void map(long first, long last, long physical) {
        guest.map(first, last, physical);
        guest.flush();
    }

    public void unmap(long first, long last) {
        guest.placeUnmap(first, last);
        guest.flush();
    }

    /** Whether the device was allowed to read there. */
    public boolean translate(long address) {
        dma.enter();
        TranslateResult result = dma.translate(address, Access.READ, NOWHERE);
        dma.leave();
        return result == TranslateResult.OK;
    }

    /** How many translations the device knew from before. */
    public long cacheHits() {
        return guest.cacheHits();
    }

    @Override
    public void close() {
        dma.close();
        guest.close();
    }
}
