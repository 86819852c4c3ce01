// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.request;

import java.util.List;
import java.util.concurrent.locks.Lock;
import org.jspecify.annotations.Nullable;
import org.virtio4j.device.DeviceContext;
import org.virtio4j.iommu.domain.Domain;
import org.virtio4j.iommu.domain.Endpoint;
import org.virtio4j.iommu.domain.Endpoints;
import org.virtio4j.iommu.embedder.ReservedRegion;
import org.virtio4j.iommu.observe.IommuListeners;
import org.virtio4j.iommu.observe.IommuTally;
import org.virtio4j.vmm.RegionKind;
import org.virtio4j.wire.iommu.MapRequest;
import org.virtio4j.wire.iommu.RequestStatus;

/**
 * Notices that a driver maps the doorbell of its interrupts, because no reserved region tells it where that lies
 * (virtio 1.4, section 5.13.6.8.1). If messages are delivered by something that does not translate them, such as QEMU,
 * the driver's interrupts are then lost, and nothing else shows why.
 *
 * <p>A driver that maps a doorbell sets the MMIO flag, or maps the doorbell before anything else in a domain, as Linux
 * does. All other mappings cost a look at their flag and at one of the domain. A mapping that is larger than a page of
 * any guest is no doorbell: it is a window of another device, or all addresses there are.
 */
public final class Doorbells {

    private static final long LARGEST = 1L << 16;

    private final Endpoints endpoints;
    private final Lock control;
    private final IommuTally counters;
    private final IommuListeners listeners;

    /** Whether listeners are to be told of an endpoint, which is done under no lock and so after the requests. */
    private volatile boolean waiting;

    /** Knows what lies where; guarded by the control lock. */
    private @Nullable DeviceContext context;

    /**
     * Watches the mappings of one IOMMU.
     *
     * @param endpoints the endpoints behind it
     * @param control   the control lock, which {@link #tell} takes for each endpoint
     * @param counters  counts doorbells without a reserved region
     * @param listeners told of them
     */
    public Doorbells(Endpoints endpoints, Lock control, IommuTally counters, IommuListeners listeners) {
        this.endpoints = endpoints;
        this.control = control;
        this.counters = counters;
        this.listeners = listeners;
    }

    /**
     * Looks addresses up in the memory of this activation from now on. Called under the control lock.
     *
     * @param active the activation
     */
    public void activated(DeviceContext active) {
        context = active;
    }

    /** A MAP was answered that may be one; under the control lock. */
    void mapped(Domain domain, Request request, int status) {
        if (status != RequestStatus.OK) {
            return;
        }
        domain.touched();
        boolean small = Long.compareUnsigned(request.virtEnd - request.virtStart, LARGEST) < 0;
        if (small && isDoorbell(request)) {
            look(domain.endpoints(), request);
        }
    }

    private void look(List<Endpoint> endpoints, Request request) {
        boolean reserved = true;
        for (int i = 0; i < endpoints.size(); i++) {
            Endpoint endpoint = endpoints.get(i);
            if (!isReserved(endpoint, request.physStart)) {
                reserved = false;
                if (endpoint.mappedDoorbell(request.virtStart, request.physStart)) {
                    waiting = true;
                }
            }
        }
        if (!reserved) {
            counters.unreservedDoorbell();
        }
    }

    /**
     * Tells listeners of the doorbells that were mapped, once for each endpoint until the next reset. Called under no
     * lock, after requests were served; takes the control lock only if there is something to tell.
     */
    public void tell() {
        if (waiting) {
            // First, so that what is mapped meanwhile is told by the kick that mapped it.
            waiting = false;
            List<Endpoint> all = endpoints.all();
            for (int i = 0; i < all.size(); i++) {
                tell(all.get(i));
            }
        }
    }

    private void tell(Endpoint endpoint) {
        long virtStart;
        long physStart;
        control.lock();
        try {
            if (!endpoint.takeDoorbell()) {
                return;
            }
            virtStart = endpoint.doorbellVirt();
            physStart = endpoint.doorbellPhys();
        } finally {
            control.unlock();
        }
        listeners.unreservedDoorbell(endpoint.id(), virtStart, physStart);
    }

    /** A doorbell that is a region of the IOMMU's memory takes messages through a mapping, and loses none. */
    private boolean isDoorbell(Request request) {
        RegionKind kind = context == null ? RegionKind.RAM : context.kindAt(request.physStart);
        return kind == null || ((request.flags & MapRequest.FLAG_MMIO) != 0 && kind != RegionKind.DOORBELL);
    }

    private static boolean isReserved(Endpoint endpoint, long address) {
        ReservedRegion region = endpoint.pages().holding(address);
        return region != null && region.kind() == ReservedRegion.Kind.MSI;
    }
}
