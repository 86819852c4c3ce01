// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import org.virtio4j.device.QueueDevice;
import org.virtio4j.dma.translate.Translator;
import org.virtio4j.iommu.domain.Attachments;
import org.virtio4j.iommu.domain.BypassByte;
import org.virtio4j.iommu.domain.Domain;
import org.virtio4j.iommu.domain.Domains;
import org.virtio4j.iommu.domain.Endpoint;
import org.virtio4j.iommu.domain.EndpointTranslator;
import org.virtio4j.iommu.domain.Endpoints;
import org.virtio4j.iommu.domain.MappingListeners;
import org.virtio4j.iommu.embedder.IommuCapabilities;
import org.virtio4j.iommu.embedder.IommuCounters;
import org.virtio4j.iommu.embedder.IommuListener;
import org.virtio4j.iommu.embedder.IovaRange;
import org.virtio4j.iommu.embedder.MappingListener;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.iommu.fault.EventQueue;
import org.virtio4j.iommu.fault.FaultReports;
import org.virtio4j.iommu.observe.IommuListeners;
import org.virtio4j.iommu.observe.IommuTally;
import org.virtio4j.iommu.table.NodeSpace;
import org.virtio4j.vmm.FirstFailure;
import org.virtio4j.vmm.HostMemory;
import org.virtio4j.vmm.grace.GracePeriods;
import org.virtio4j.wire.DeviceType;
import org.virtio4j.wire.iommu.IommuFeature;

/**
 * What the embedder of an IOMMU does with its endpoints while the guest runs: the part of {@link VirtioIommu} that no
 * driver calls. Any thread, but not inside a section of a {@link org.virtio4j.dma.DmaHandle}.
 */
abstract class IommuEndpoints extends QueueDevice {

    /**
     * The control lock: request queue, domains, configuration. It comes after that of the life cycle, before the event
     * queue's. Fair, so that a thread that waits for it gets it between two passes over the request queue.
     */
    final ReentrantLock control = new ReentrantLock(true);

    final IommuSettings settings;
    final IommuListeners listeners;
    final IommuTally counters;
    final BypassByte bypass;
    final MappingListeners mappingListeners = new MappingListeners();
    final FirstFailure deferred = mappingListeners.deferred();
    final Endpoints endpoints;
    final Domains domains;
    final Attachments attachments;
    final EventQueue events;
    private final FaultReports faults;

    /** Whether the tables are gone; guarded by the control lock. */
    boolean closed;

    IommuEndpoints(IommuSettings settings, List<IommuListener> observers) {
        super(DeviceType.IOMMU, ConfigSpace.size(settings.topology()));
        this.settings = settings;
        this.bypass = new BypassByte(settings.bypass().atBoot());
        this.listeners = new IommuListeners(observers);
        GracePeriods readers = new GracePeriods(listeners::stalled);
        this.counters = new IommuTally(readers, listeners);
        this.events = new EventQueue(counters, listeners);
        this.faults = new FaultReports(control, events, listeners.recordTraffic());
        this.endpoints = new Endpoints(settings.maxEndpoints());
        settings.groups().forEach(endpoints::group);
        NodeSpace space = spaceFor(settings);
        this.domains = new Domains(endpoints, space, deferred, readers, settings.caps(), settings.stallLimitNanos());
        this.attachments = new Attachments(endpoints, domains, mappingListeners, space,
                !settings.bypass().afterReset());
    }

    /**
     * What the DMA addresses of one endpoint mean.
     *
     * @param endpoint the id of an endpoint behind this IOMMU
     * @return a translator for {@link org.virtio4j.dma.DmaSpace#of}
     * @throws IllegalArgumentException if there is no such endpoint
     */
    public Translator translator(int endpoint) {
        return new EndpointTranslator(require(endpoint), attachments, bypass, faults, control);
    }

    /**
     * Puts an endpoint behind the IOMMU while the guest runs. It is attached to nothing: the bypass byte decides what
     * it reaches. How the guest learns of it is not this device's matter.
     *
     * @param endpoint how requests name it; no endpoint here has this id
     * @param reserved what its driver may not map
     * @throws IllegalArgumentException if an endpoint with this id is here, or as many as the builder was told; if the
     *                                  regions do not fit, see {@link VirtioIommuBuilder#check}
     * @throws IllegalStateException    if this IOMMU was closed
     */
    public void plug(int endpoint, ReservedRegions reserved) {
        checkRegions(reserved);
        lockForChange();
        try {
            requireOpen();
            attachments.plug(new Endpoint(endpoint, reserved));
        } finally {
            control.unlock();
        }
    }

    /**
     * Takes an endpoint away while the guest runs. Its devices may be at work: no access of theirs is under way when
     * this returns, and each later one is refused, even if an endpoint with the same id is plugged again. Its faults,
     * those included that wait for the driver, are counted as lost and not reported any more. For the driver, it does
     * not exist. Its handles are closed by their owners, at any time.
     *
     * @param endpoint the id of an endpoint behind this IOMMU
     * @throws IllegalArgumentException if there is no such endpoint, as after the first of two calls
     */
    public void unplug(int endpoint) {
        lockForChange();
        try {
            attachments.unplug(require(endpoint));
            events.drop(endpoint);
            deferred.rethrow();
        } finally {
            control.unlock();
        }
    }

    /**
     * Plugs several endpoints that stand for one device: {@link VirtioIommuBuilder#group} for ids that were not known
     * before the guest ran. They are a group until the last of them is unplugged.
     *
     * @param reserved  what the driver may not map for any of them
     * @param endpoints how requests name them; no endpoint here has one of these ids, nor are they in a group
     * @throws IllegalArgumentException as {@link #plug}; nothing was plugged then
     * @throws IllegalStateException    if this IOMMU was closed
     */
    public void plugGroup(ReservedRegions reserved, int... endpoints) {
        SettingChecks.group(new int[0], endpoints);
        checkRegions(reserved);
        lockForChange();
        try {
            requireOpen();
            attachments.plugGroup(reserved, endpoints);
        } finally {
            control.unlock();
        }
    }

    /**
     * Takes an endpoint, with the others of its group, for the host. They reach nothing through their translators, even
     * in bypass, and an ATTACH of one is answered with UNSUPP; PROBE goes on. No reset ends that: only {@link
     * EndpointClaim#close}, or that the last of them is unplugged.
     *
     * @param endpoint the id of an endpoint behind this IOMMU
     * @return what gives it back; empty if the driver has attached one of the group, or it is claimed already
     * @throws IllegalArgumentException if there is no such endpoint
     */
    public Optional<EndpointClaim> claim(int endpoint) {
        lockForChange();
        try {
            Endpoint claimed = require(endpoint);
            EndpointClaim claim = new EndpointClaim(control, domains, attachments, claimed.group());
            boolean done = attachments.claim(claimed, claim);
            domains.gracePeriodIfNeeded();
            return done ? Optional.of(claim) : Optional.empty();
        } finally {
            control.unlock();
        }
    }

    /**
     * Says that the device at an endpoint was reset and has no DMA on its way: if a reset of the IOMMU left the
     * endpoint blocked, the bypass byte decides again. Only for a device that keeps its {@link
     * org.virtio4j.dma.DmaHandle}s open beyond its own reset; where all of them were closed, as those of a virtio
     * device are, this has happened.
     *
     * @param endpoint the id of an endpoint behind this IOMMU
     * @throws IllegalArgumentException if there is no such endpoint
     */
    public void endpointReset(int endpoint) {
        control.lock();
        try {
            attachments.unblock(require(endpoint));
        } finally {
            control.unlock();
        }
    }

    /**
     * What a driver can map for an endpoint: the input range without the endpoint's reserved regions, cut to whole
     * pages of the granule. In a domain of several endpoints, only what is usable for each of them can be mapped.
     *
     * @param endpoint the id of an endpoint behind this IOMMU
     * @return ranges in ascending order that do not touch each other; the same each time
     * @throws IllegalArgumentException if there is no such endpoint
     */
    public List<IovaRange> usableRanges(int endpoint) {
        return settings.usableRanges(require(endpoint).regions());
    }

    /**
     * What this IOMMU can do for an endpoint.
     *
     * @param endpoint the id of an endpoint behind this IOMMU
     * @return the same value each time
     * @throws IllegalArgumentException if there is no such endpoint
     */
    public IommuCapabilities capabilities(int endpoint) {
        return settings.capabilities(require(endpoint).regions());
    }

    /**
     * Takes a mapping listener in while the guest runs: it is told what its endpoints are attached to, and the mappings
     * of those domains.
     *
     * @param listener  not joined yet
     * @param endpoints the ids it stands for; none for all endpoints
     * @return DONE, or how the listener has refused; it has not joined then, and all it was told was taken back. One
     *         that refuses even an unmap of what it was told is expelled: it has joined then, and must leave
     * @throws IllegalArgumentException if the pages of the listener are larger than the granule
     */
    public MappingListener.Answer join(MappingListener listener, int... endpoints) {
        SettingChecks.mirrored(listener, settings.limits().granule());
        lockForChange();
        try {
            MappingListener.Answer answer = attachments.join(listener, endpoints);
            domains.gracePeriodIfNeeded();
            deferred.rethrow();
            return answer;
        } finally {
            control.unlock();
        }
    }

    /**
     * Takes everything back that a mapping listener was told, and forgets it. One that does not carry that out is
     * expelled, and stays so until it leaves again.
     *
     * @param listener one that has joined
     * @throws IllegalArgumentException if it has not
     */
    public void leave(MappingListener listener) {
        lockForChange();
        try {
            attachments.leave(listener);
            domains.gracePeriodIfNeeded();
            deferred.rethrow();
        } finally {
            control.unlock();
        }
    }

    /**
     * What this IOMMU has done.
     *
     * @return counters that go on counting
     */
    public IommuCounters counters() {
        return counters;
    }

    /**
     * How many mappings there are in all domains.
     *
     * @return a count
     */
    public long liveMappings() {
        // Not underControl, because its argument is an object: a replay asks after each request that ends a domain.
        control.lock();
        try {
            return domains.mappings();
        } finally {
            control.unlock();
        }
    }

    /**
     * How many domains have an endpoint.
     *
     * @return a count
     */
    public int liveDomains() {
        return (int) underControl(domains::count);
    }

    /**
     * Off-heap memory that the mapping tables use now, with what they hold ready.
     *
     * @return bytes
     */
    public long tableBytes() {
        return underControl(domains::bytesInUse);
    }

    /**
     * How often a change waited for devices to leave their sections.
     *
     * @return a count that only grows
     */
    public long gracePeriods() {
        return underControl(domains::gracePeriods);
    }

    /**
     * How often such a wait was longer than the limit.
     *
     * @return a count that only grows
     */
    public long stalls() {
        return domains.readers().stalls();
    }

    /** Listeners are called while the lock is held; what changes endpoints or listeners would change it under them. */
    private void lockForChange() {
        if (control.isHeldByCurrentThread()) {
            throw new IllegalStateException("thread=" + Thread.currentThread().getName() + " is inside a callback of"
                    + " this IOMMU; change its endpoints and listeners when the callback has returned");
        }
        control.lock();
    }

    /** Whom its grace periods wait for. */
    GracePeriods readers() {
        return domains.readers();
    }

    private long underControl(LongSupplier number) {
        control.lock();
        try {
            return number.getAsLong();
        } finally {
            control.unlock();
        }
    }

    /**
     * Room for the tables of all domains: one for each endpoint, one more while an endpoint moves, and the states of
     * being attached to nothing. Twice, because the mappings of a small domain have a node to themselves.
     */
    private static NodeSpace spaceFor(IommuSettings settings) {
        int tables = 2 * (settings.maxEndpoints() + 1 + Domain.Kind.values().length);
        return new NodeSpace(HostMemory.collected(NodeSpace.bytesFor(settings.caps().mappings(), tables)));
    }

    private void checkRegions(ReservedRegions reserved) {
        SettingChecks.regions(reserved, settings.limits(), settings.features().has(IommuFeature.PROBE));
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("iommu=closed; plug endpoints before, or into another");
        }
    }

    private Endpoint require(int id) {
        Endpoint endpoint = endpoints.find(id);
        if (endpoint == null) {
            throw new IllegalArgumentException("endpoint=0x" + Integer.toHexString(id)
                    + " is not behind this IOMMU; name it to the builder, or plug it");
        }
        return endpoint;
    }
}
