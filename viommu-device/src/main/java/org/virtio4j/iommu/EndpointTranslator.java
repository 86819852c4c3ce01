// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import java.util.concurrent.locks.Lock;
import org.virtio4j.vmm.Access;
import org.virtio4j.vmm.ExtentSink;
import org.virtio4j.vmm.ReaderSlot;
import org.virtio4j.vmm.TranslateResult;
import org.virtio4j.vmm.TranslationCaches;
import org.virtio4j.vmm.Translator;

/**
 * The view of one endpoint: what its DMA addresses mean just now. It has no state of its own, so any number of threads
 * share it.
 */
final class EndpointTranslator implements Translator {

    private static final long LAST = -1;
    private static final int READ_WRITE = Access.READ.mask() | Access.WRITE.mask();

    private final Endpoint endpoint;
    private final Domains domains;
    private final Bypass bypass;
    private final FaultReports faults;
    private final Lock control;

    EndpointTranslator(Endpoint endpoint, Domains domains, Bypass bypass, FaultReports faults, Lock control) {
        this.control = control;
        this.endpoint = endpoint;
        this.domains = domains;
        this.bypass = bypass;
        this.faults = faults;
    }

    @Override
    public TranslateResult translate(long iova, Access access, ExtentSink out) {
        Domain domain = endpoint.domain();
        if (domain.kind() != Domain.Kind.MAPPED) {
            return translateUnmapped(domain, out);
        }
        return switch (domain.table().find(iova, access.mask(), out)) {
            case FOUND -> TranslateResult.OK;
            case DENIED -> TranslateResult.NOT_PERMITTED;
            case ABSENT -> translateDoorbell(iova, access, out);
        };
    }

    @Override
    public long generation() {
        return domains.generation().get();
    }

    @Override
    public TranslationCaches caches() {
        return endpoint.caches();
    }

    @Override
    public void join(ReaderSlot slot) {
        domains.readers().add(slot);
        if (!slot.messagesOnly()) {
            control.lock();
            try {
                domains.opened(endpoint);
            } finally {
                control.unlock();
            }
        }
    }

    @Override
    public void part(ReaderSlot slot) {
        boolean member = domains.readers().remove(slot);
        if (member && !slot.messagesOnly()) {
            control.lock();
            try {
                domains.closed(endpoint);
            } finally {
                control.unlock();
            }
        }
    }

    @Override
    public void faulted(TranslateResult reason, long iova, Access access) {
        faults.report(this, endpoint.id(), reason, iova, access);
    }

    /** Section 5.13.6: in bypass every access is allowed and means itself; else nothing is. */
    private TranslateResult translateUnmapped(Domain domain, ExtentSink out) {
        boolean allowed = domain.kind() == Domain.Kind.BYPASS
                || (domain.kind() == Domain.Kind.UNATTACHED && bypass.on());
        if (!allowed) {
            return TranslateResult.NO_DOMAIN;
        }
        out.extent(0, LAST, 0, READ_WRITE);
        return TranslateResult.OK;
    }

    /** A doorbell is never mapped: MAP refuses reserved regions. Only writes are messages. */
    private TranslateResult translateDoorbell(long iova, Access access, ExtentSink out) {
        ReservedRegion doorbell = endpoint.regions().doorbell(iova);
        if (doorbell == null) {
            return TranslateResult.NO_MAPPING;
        }
        if (access != Access.WRITE) {
            return TranslateResult.NOT_PERMITTED;
        }
        out.extent(doorbell.start(), doorbell.end(), doorbell.start(), Access.WRITE.mask());
        return TranslateResult.OK;
    }
}
