// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.request;

import org.jspecify.annotations.Nullable;
import org.virtio4j.device.Features;
import org.virtio4j.iommu.domain.Attachments;
import org.virtio4j.iommu.domain.Domain;
import org.virtio4j.iommu.domain.Domains;
import org.virtio4j.iommu.domain.Endpoint;
import org.virtio4j.iommu.domain.MapBatch;
import org.virtio4j.iommu.domain.MappingListeners;
import org.virtio4j.iommu.embedder.MappingListener;
import org.virtio4j.iommu.observe.IommuTally;
import org.virtio4j.wire.iommu.AttachRequest;
import org.virtio4j.wire.iommu.IommuFeature;
import org.virtio4j.wire.iommu.MapRequest;
import org.virtio4j.wire.iommu.RequestStatus;
import org.virtio4j.wire.iommu.RequestTail;
import org.virtio4j.wire.iommu.RequestType;

/**
 * Checks a request and carries it out (virtio 1.4, section 5.13.6). Under the control lock, outside any section.
 *
 * <p>The checks come in the order flags and reserved bytes, existence, kind of domain, inverted, alignment and range,
 * overlap and reserved region, limits. A request that is refused has changed nothing.
 *
 * <p>Where the specification leaves a choice open: an inverted or misplaced range and a domain number out of range are
 * RANGE. A MAP over a reserved region is INVAL. An UNMAP with a reserved byte set is INVAL and removes nothing. A limit
 * reached is NOMEM. A flag that was not negotiated counts as unknown. An ATTACH of what the host keeps is UNSUPP. A
 * DETACH of an endpoint that is attached to nothing is OK if several ids are in its group, else INVAL.
 */
public final class RequestExecutor {

    private final RequestLimits limits;
    private final Domains domains;
    private final Attachments attachments;
    private final MappingListeners mappingListeners;
    private final IommuTally counters;
    private final Doorbells doorbells;
    private final long granuleMask;

    private boolean mapUnmap;
    private boolean probe;
    private int attachFlags;
    private int mapFlags;

    /**
     * Starts with nothing negotiated: MAP, UNMAP and PROBE are unknown until {@link #negotiated}.
     *
     * @param limits           what the configuration shows to the driver
     * @param domains          what requests change
     * @param attachments      what requests change, too
     * @param mappingListeners asked before a mapping is made or removed
     * @param counters         counts each request
     * @param doorbells        looks at mappings that may lose interrupts
     */
    public RequestExecutor(RequestLimits limits, Domains domains, Attachments attachments,
            MappingListeners mappingListeners, IommuTally counters, Doorbells doorbells) {
        this.limits = limits;
        this.domains = domains;
        this.attachments = attachments;
        this.mappingListeners = mappingListeners;
        this.counters = counters;
        this.doorbells = doorbells;
        this.granuleMask = limits.granule() - 1;
    }

    /**
     * Takes over what was negotiated: a request or flag whose feature is missing is unknown. Called under the control
     * lock, before the first request of an activation.
     *
     * @param features what driver and device agreed on
     */
    public void negotiated(Features features) {
        mapUnmap = features.has(IommuFeature.MAP_UNMAP);
        probe = features.has(IommuFeature.PROBE);
        attachFlags = features.has(IommuFeature.BYPASS_CONFIG) ? AttachRequest.FLAG_BYPASS : 0;
        mapFlags = MapRequest.FLAG_READ | MapRequest.FLAG_WRITE
                | (features.has(IommuFeature.MMIO) ? MapRequest.FLAG_MMIO : 0);
    }

    /** Carries one request out. What a mapping listener throws is kept in {@link Domains#deferred}. */
    void execute(Request request) {
        if (!isKnown(request.type)) {
            request.removed = 0;
            counters.refused();
            return;
        }
        long before = domains.mappings();
        request.status = switch (request.type) {
            case RequestType.ATTACH -> attach(request);
            case RequestType.DETACH -> detach(request);
            case RequestType.MAP -> map(request);
            case RequestType.UNMAP -> unmap(request);
            default -> probe(request);
        };
        request.answered = true;
        request.removed = Math.max(0, before - domains.mappings());
        counters.answered(request.type, request.status, request.removed);
    }

    private boolean isKnown(int type) {
        return switch (type) {
            case RequestType.ATTACH, RequestType.DETACH -> true;
            case RequestType.MAP, RequestType.UNMAP -> mapUnmap;
            case RequestType.PROBE -> probe;
            default -> false;
        };
    }

    private int attach(Request request) {
        if (request.reservedSet || (request.flags & ~attachFlags) != 0) {
            return RequestStatus.INVAL;
        }
        Endpoint endpoint = attachments.endpoint(request.endpoint);
        if (endpoint == null) {
            return RequestStatus.NOENT;
        }
        if (attachments.isKept(endpoint)) {
            return RequestStatus.UNSUPP;
        }
        Domain.Kind kind = (request.flags & AttachRequest.FLAG_BYPASS) != 0 ? Domain.Kind.BYPASS : Domain.Kind.MAPPED;
        Domain domain = domains.domain(request.domain);
        if (domain == null) {
            return attachToNew(endpoint, request.domain, kind);
        }
        if (domain.kind() != kind) {
            return RequestStatus.INVAL;
        }
        return endpoint.group().isIn(domain) ? RequestStatus.OK : attachToExisting(endpoint, domain);
    }

    private int attachToNew(Endpoint endpoint, int domain, Domain.Kind kind) {
        if (!limits.inDomainRange(domain)) {
            return RequestStatus.RANGE;
        }
        if (!attachments.hasRoomForDomain(endpoint)) {
            return RequestStatus.NOMEM;
        }
        return attachTo(endpoint, domains.begin(domain, kind));
    }

    private int attachToExisting(Endpoint endpoint, Domain domain) {
        if (!endpoint.group().fits(domain)) {
            return RequestStatus.UNSUPP;
        }
        return attachTo(endpoint, domain);
    }

    private int attachTo(Endpoint endpoint, Domain domain) {
        MappingListener.Answer answer = attachments.attach(endpoint, domain);
        return switch (answer) {
            case DONE -> RequestStatus.OK;
            case UNSUPPORTED -> RequestStatus.UNSUPP;
            default -> refusal(answer);
        };
    }

    private int detach(Request request) {
        Endpoint endpoint = attachments.endpoint(request.endpoint);
        if (endpoint == null) {
            return RequestStatus.NOENT;
        }
        boolean detached = attachments.detach(endpoint, domains.domain(request.domain));
        return detached ? RequestStatus.OK : RequestStatus.INVAL;
    }

    private int map(Request request) {
        if ((request.flags & ~mapFlags) != 0) {
            return RequestStatus.INVAL;
        }
        Domain domain = domains.domain(request.domain);
        if (domain == null) {
            return RequestStatus.NOENT;
        }
        int refusal = refusalOfMap(domain, request);
        if (refusal != RequestStatus.OK) {
            return refusal;
        }
        int status = domain.isMirrored() || !domains.hasRoom(domain)
                ? insertCarefully(domain, request)
                : insert(domain, request);
        if ((request.flags & MapRequest.FLAG_MMIO) != 0 || domain.isUntouched()) {
            doorbells.mapped(domain, request, status);
        }
        return status;
    }

    /** What a MAP to a domain gets that breaks a rule; overlaps and limits come later. */
    private int refusalOfMap(Domain domain, Request request) {
        if (domain.kind() == Domain.Kind.BYPASS) {
            return RequestStatus.INVAL;
        }
        if (!canBeMapped(request.virtStart, request.virtEnd, request.physStart)) {
            return RequestStatus.RANGE;
        }
        return domain.reserves(request.virtStart, request.virtEnd) ? RequestStatus.INVAL : RequestStatus.OK;
    }

    private boolean canBeMapped(long virtStart, long virtEnd, long physStart) {
        boolean inverted = Long.compareUnsigned(virtEnd, virtStart) < 0;
        boolean misaligned = ((virtStart | physStart | (virtEnd + 1)) & granuleMask) != 0;
        boolean physWraps = Long.compareUnsigned(physStart + (virtEnd - virtStart), physStart) < 0;
        return !inverted && !misaligned && !physWraps && limits.inInputRange(virtStart, virtEnd);
    }

    private int insert(Domain domain, Request request) {
        return switch (domains.insert(domain, request.virtStart, request.virtEnd, request.physStart, request.flags)) {
            case INSERTED -> RequestStatus.OK;
            case OVERLAP -> RequestStatus.INVAL;
            case FULL -> RequestStatus.NOMEM;
        };
    }

    /** Inserts when mapping listeners must agree, or when the limit is reached: an overlap is refused first. */
    private int insertCarefully(Domain domain, Request request) {
        if (domain.table().overlaps(request.virtStart, request.virtEnd)) {
            return RequestStatus.INVAL;
        }
        if (!domains.hasRoom(domain)) {
            return RequestStatus.NOMEM;
        }
        MappingListener.Answer answer =
                attachments.announce(domain, request.virtStart, request.virtEnd, request.physStart, request.flags);
        if (answer != MappingListener.Answer.DONE) {
            return refusal(answer);
        }
        return insertOrUndo(domain, request);
    }

    // MAPs that are announced together

    /** Whether requests may have to be announced to listeners. */
    boolean isMirrored() {
        return !mappingListeners.isEmpty();
    }

    /** The domain of a MAP that listeners are to be asked about; null for all other requests. */
    @Nullable Domain mirroredDomain(Request request) {
        boolean valid = request.type == RequestType.MAP && mapUnmap && (request.flags & ~mapFlags) == 0;
        Domain domain = valid ? domains.domain(request.domain) : null;
        return domain != null && domain.isMirrored() ? domain : null;
    }

    /** Whether a MAP would be made, if listeners agree, after those of a batch. */
    boolean canAdd(Domain domain, Request request, MapBatch batch) {
        return refusalOfMap(domain, request) == RequestStatus.OK
                && domains.hasRoom(domain, batch.size() + 1)
                && !batch.overlaps(request.virtStart, request.virtEnd)
                && !domain.table().overlaps(request.virtStart, request.virtEnd);
    }

    /** Asks the listeners of a domain; false if one of them refuses, and nothing has changed. */
    boolean announce(Domain domain, MapBatch batch) {
        return attachments.announce(domain, batch) == MappingListener.Answer.DONE;
    }

    /** Carries a MAP out to which the listeners have agreed. */
    void insertAnnounced(Domain domain, Request request) {
        int status = insertOrUndo(domain, request);
        if ((request.flags & MapRequest.FLAG_MMIO) != 0 || domain.isUntouched()) {
            doorbells.mapped(domain, request, status);
        }
        answer(request, status);
    }

    /** Answers a MAP whose domain ended because a listener did not take back what it had agreed to. */
    void fail(Request request) {
        answer(request, RequestStatus.DEVERR);
    }

    private void answer(Request request, int status) {
        request.status = status;
        request.answered = true;
        request.removed = 0;
        counters.answered(request.type, status, 0);
    }

    private int insertOrUndo(Domain domain, Request request) {
        int status = insert(domain, request);
        if (status != RequestStatus.OK) {
            attachments.undoMap(domain, request.virtStart, request.virtEnd);
        }
        return status;
    }

    private int unmap(Request request) {
        if (request.reservedSet) {
            return RequestStatus.INVAL;
        }
        Domain domain = domains.domain(request.domain);
        if (domain == null) {
            return RequestStatus.NOENT;
        }
        if (domain.kind() == Domain.Kind.BYPASS) {
            return RequestStatus.INVAL;
        }
        if (Long.compareUnsigned(request.virtEnd, request.virtStart) < 0) {
            return RequestStatus.RANGE;
        }
        return remove(domain, request.virtStart, request.virtEnd);
    }

    private int remove(Domain domain, long virtStart, long virtEnd) {
        return switch (domains.remove(domain, virtStart, virtEnd)) {
            case REMOVED -> !domain.isMirrored() || attachments.removeFromMirrors(domain, virtStart, virtEnd)
                    ? RequestStatus.OK
                    : RequestStatus.DEVERR;
            case WOULD_SPLIT -> RequestStatus.RANGE;
            case FULL -> RequestStatus.DEVERR;
        };
    }

    /** What was too short to parse does not come here. */
    private int probe(Request request) {
        Endpoint endpoint = attachments.endpoint(request.endpoint);
        if (endpoint == null) {
            return RequestStatus.NOENT;
        }
        request.properties = endpoint.regions();
        boolean room = request.chain.writableLength() >= limits.probeSize() + RequestTail.SIZE;
        return room ? RequestStatus.OK : RequestStatus.INVAL;
    }

    private static int refusal(MappingListener.Answer answer) {
        return answer == MappingListener.Answer.NO_ROOM ? RequestStatus.NOMEM : RequestStatus.DEVERR;
    }
}
