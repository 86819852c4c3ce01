// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.domain;

import java.util.concurrent.locks.Lock;
import org.jspecify.annotations.Nullable;
import org.virtio4j.dma.translate.ExtentSink;
import org.virtio4j.dma.translate.TranslateResult;
import org.virtio4j.dma.translate.TranslationCaches;
import org.virtio4j.iommu.embedder.ReservedRegion;
import org.virtio4j.iommu.fault.FaultReports;
import org.virtio4j.iommu.fault.FaultSource;
import org.virtio4j.vmm.Access;
import org.virtio4j.vmm.grace.ReaderSlot;

/**
 * The view of one endpoint: what its DMA addresses mean just now. It has no state of its own, so any number of threads
 * share it.
 */
public final class EndpointTranslator implements FaultSource {

    private static final int READ_WRITE = Access.READ.mask() | Access.WRITE.mask();

    private final Endpoint endpoint;
    private final Attachments attachments;
    private final BypassByte bypass;
    private final FaultReports faults;
    private final Lock control;

    /** Of its own, because what the domains have beside it changes with each request. */
    private final InvalidationCount generation;

    /**
     * Shows devices one endpoint.
     *
     * @param endpoint whose addresses are translated
     * @param attachments know the readers, and count what was taken away
     * @param bypass   decides while the endpoint is attached to nothing
     * @param faults   takes what was refused
     * @param control  the control lock, taken when a reader joins or parts and never to translate
     */
    public EndpointTranslator(Endpoint endpoint, Attachments attachments, BypassByte bypass, FaultReports faults,
            Lock control) {
        this.control = control;
        this.endpoint = endpoint;
        this.attachments = attachments;
        this.generation = attachments.generation();
        this.bypass = bypass;
        this.faults = faults;
    }

    @Override
    public TranslateResult translate(long iova, Access access, ExtentSink out) {
        Domain domain = endpoint.domain();
        if (domain.kind() != Domain.Kind.MAPPED) {
            return translateUnmapped(domain, iova, access, out);
        }
        return switch (domain.table().find(iova, access.mask(), out)) {
            case FOUND -> TranslateResult.OK;
            case DENIED -> TranslateResult.NOT_PERMITTED;
            case ABSENT -> translateReserved(endpoint.pages().holding(iova), access, out);
        };
    }

    @Override
    public long generation() {
        return generation.get();
    }

    @Override
    public TranslationCaches caches() {
        return endpoint.caches();
    }

    @Override
    public void join(ReaderSlot slot) {
        attachments.readers().add(slot);
        if (!slot.messagesOnly()) {
            control.lock();
            try {
                endpoint.opened();
            } finally {
                control.unlock();
            }
        }
    }

    @Override
    public void part(ReaderSlot slot) {
        boolean member = attachments.readers().remove(slot);
        if (member && !slot.messagesOnly()) {
            control.lock();
            try {
                attachments.closed(endpoint);
            } finally {
                control.unlock();
            }
        }
    }

    @Override
    public int endpoint() {
        return endpoint.id();
    }

    @Override
    public boolean isPlugged() {
        return endpoint.isPlugged();
    }

    @Override
    public void faulted(TranslateResult reason, long iova, Access access) {
        faults.report(this, reason, iova, access);
    }

    /**
     * Section 5.13.6: in bypass every access is allowed and means itself; else nothing is. Section 5.13.6.8.1.2, which
     * says that accesses to reserved regions affect nothing else, makes no exception for bypass.
     */
    private TranslateResult translateUnmapped(Domain domain, long iova, Access access, ExtentSink out) {
        boolean allowed = domain.kind() == Domain.Kind.BYPASS
                || (domain.kind() == Domain.Kind.UNATTACHED && bypass.on());
        if (!allowed) {
            return TranslateResult.NO_DOMAIN;
        }
        ReservedPages pages = endpoint.pages();
        ReservedRegion reserved = pages.holding(iova);
        if (reserved != null) {
            return translateReserved(reserved, access, out);
        }
        long start = pages.freeFrom(iova);
        out.extent(start, pages.freeTo(iova), start, READ_WRITE);
        return TranslateResult.OK;
    }

    /** What lies in no region is not mapped, and no region is ever mapped: MAP refuses that. */
    private static TranslateResult translateReserved(@Nullable ReservedRegion region, Access access, ExtentSink out) {
        if (region == null || region.kind() != ReservedRegion.Kind.MSI) {
            return TranslateResult.NO_MAPPING;
        }
        if (access != Access.WRITE) {
            return TranslateResult.NOT_PERMITTED;
        }
        out.extent(region.start(), region.end(), region.start(), ExtentSink.MESSAGES);
        return TranslateResult.OK;
    }
}
