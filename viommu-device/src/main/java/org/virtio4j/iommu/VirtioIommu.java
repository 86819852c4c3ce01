// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.virtio4j.device.DeviceContext;
import org.virtio4j.device.Features;
import org.virtio4j.device.QueueDevice;
import org.virtio4j.device.QueueLoop;
import org.virtio4j.device.ResetKind;
import org.virtio4j.dma.translate.Translator;
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
import org.virtio4j.iommu.request.Doorbells;
import org.virtio4j.iommu.request.ReplyWriter;
import org.virtio4j.iommu.request.RequestExecutor;
import org.virtio4j.iommu.request.RequestQueue;
import org.virtio4j.iommu.table.NodeSpace;
import org.virtio4j.queue.DeviceQueue;
import org.virtio4j.vmm.FirstFailure;
import org.virtio4j.vmm.HostMemory;
import org.virtio4j.vmm.grace.GracePeriods;
import org.virtio4j.wire.DeviceType;
import org.virtio4j.wire.iommu.IommuFeature;

/**
 * A virtio-iommu (virtio 1.4, section 5.13). Its driver attaches endpoints to domains and maps addresses; devices
 * behind it reach memory through {@link #translator}.
 *
 * <p>Requests are served in the kick, on the thread that kicks: Linux spins until the answer is there. If several
 * threads kick at once, one of them serves for all. What a request takes away is unused by every device before its
 * answer is visible.
 *
 * <p>The methods of {@link org.virtio4j.device.VirtioDevice} are called by its life cycle. All others may be called
 * from any thread, but not inside a section of a {@link org.virtio4j.dma.DmaHandle}.
 */
public final class VirtioIommu extends QueueDevice implements AutoCloseable {

    private static final int REQUESTS = 0;

    /**
     * The control lock: request queue, domains, configuration. It comes after that of the life cycle, before the event
     * queue's. Fair, so that a thread that waits for it gets it between two passes over the request queue.
     */
    private final ReentrantLock control = new ReentrantLock(true);

    private final IommuSettings settings;
    private final IommuTally counters;
    private final BypassByte bypass;
    private final Endpoints endpoints;
    private final Domains domains;
    private final Doorbells doorbells;
    private final RequestExecutor executor;
    private final QueueLoop requests;
    private final EventQueue events;
    private final FaultReports faults;
    private final FirstFailure deferred;
    private final IommuListeners listeners;
    private final ConfigSpace config;

    /** Whether the driver accepted the bypass byte; guarded by the life cycle's lock, as all that touches it. */
    private boolean bypassWritable;

    /** Whether the tables are gone; guarded by the control lock. */
    private boolean closed;

    VirtioIommu(IommuSettings settings, List<IommuListener> observers) {
        super(DeviceType.IOMMU, ConfigSpace.size(settings.topology()));
        this.settings = settings;
        this.config = new ConfigSpace(settings.limits(), settings.topology());
        this.bypass = new BypassByte(settings.bypass().atBoot());
        this.listeners = new IommuListeners(observers);
        GracePeriods readers = new GracePeriods(listeners::stalled);
        this.counters = new IommuTally(readers, listeners);
        this.events = new EventQueue(counters, listeners);
        this.faults = new FaultReports(control, events, listeners.recordTraffic());
        MappingListeners mappingListeners = new MappingListeners();
        this.deferred = mappingListeners.deferred();
        this.endpoints = new Endpoints(settings.maxEndpoints());
        this.domains = new Domains(endpoints, spaceFor(settings), mappingListeners, readers,
                settings.maxMappings(), settings.stallLimitNanos());
        this.doorbells = new Doorbells(endpoints, control, counters, listeners);
        this.executor = new RequestExecutor(settings.limits(), domains, mappingListeners, counters,
                doorbells);
        RequestQueue queue = new RequestQueue(executor, new ReplyWriter(settings.limits().probeSize(), counters),
                domains, counters, listeners, settings.serving().linger());
        this.requests = new QueueLoop(REQUESTS, queue, control);
        queue(settings.serving().requestQueueSize(), requests);
        queue(settings.serving().eventQueueSize(), events.loop());
    }

    /**
     * Begins to set an IOMMU up.
     *
     * @return a builder with no endpoints
     */
    public static VirtioIommuBuilder builder() {
        return new VirtioIommuBuilder();
    }

    /**
     * What the DMA addresses of one endpoint mean.
     *
     * @param endpoint the id of an endpoint behind this IOMMU
     * @return a translator for {@link org.virtio4j.dma.DmaSpace#of}
     * @throws IllegalArgumentException if there is no such endpoint
     */
    public Translator translator(int endpoint) {
        return new EndpointTranslator(require(endpoint), domains, bypass, faults, control);
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
        SettingChecks.regions(reserved, settings.limits(), settings.features().has(IommuFeature.PROBE));
        control.lock();
        try {
            if (closed) {
                throw new IllegalStateException("iommu=closed; plug endpoint=0x" + Integer.toHexString(endpoint)
                        + " before");
            }
            domains.plug(new Endpoint(endpoint, reserved));
            deferred.rethrow();
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
        control.lock();
        try {
            domains.unplug(require(endpoint));
            events.drop(endpoint);
            deferred.rethrow();
        } finally {
            control.unlock();
        }
    }

    /**
     * Serves requests that were made available without a kick, as {@link #kicked} would.
     */
    public void poll() {
        kicked(REQUESTS);
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
            domains.unblock(require(endpoint));
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
     * @return DONE, or how the listener has refused; it has not joined then, and all it was told was taken back
     * @throws IllegalArgumentException if the pages of the listener are larger than the granule
     */
    public MappingListener.Answer join(MappingListener listener, int... endpoints) {
        SettingChecks.mirrored(listener, settings.limits().granule());
        control.lock();
        try {
            MappingListener.Answer answer = domains.join(listener, endpoints);
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
        control.lock();
        try {
            domains.leave(listener);
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

    /**
     * Gives the memory of the mapping tables back. To be called after the function or window of this IOMMU was closed;
     * devices behind it may still be there, and reach no memory any more. Closing twice does nothing.
     *
     * @throws IllegalStateException if a request is being served, or comes from a callback of this IOMMU's own
     */
    @Override
    public void close() {
        stop();
        if (!requests.isFree() || !events.awaitFree()) {
            throw new IllegalStateException("requests=being served; close the function or window of this IOMMU first");
        }
        control.lock();
        try {
            if (!closed) {
                closed = true;
                domains.close();
                deferred.rethrow();
            }
        } finally {
            control.unlock();
        }
    }

    // VirtioDevice

    @Override
    public Features offered() {
        return settings.features();
    }

    @Override
    public void negotiated(Features features) {
        bypassWritable = ofStandard(features).has(IommuFeature.BYPASS_CONFIG);
        if (!listeners.isEmpty()) {
            control.lock();
            try {
                listeners.negotiated(features);
            } finally {
                control.unlock();
            }
        }
    }

    @Override
    public void activate(DeviceContext active) {
        control.lock();
        try {
            if (closed) {
                throw new IllegalStateException("iommu=closed; close its function or window first, and make another");
            }
            executor.negotiated(ofStandard(active.features()));
            doorbells.activated(active);
            events.activate(active);
            super.activate(active);
            listeners.activated(sizeOf(active.queue(REQUESTS)), sizeOf(active.queue(EventQueue.INDEX)));
        } finally {
            control.unlock();
        }
    }

    @Override
    public void kicked(int queue) {
        if (queue == EventQueue.INDEX) {
            events.deliver();
        } else {
            super.kicked(queue);
            doorbells.tell();
        }
    }

    @Override
    public boolean isPolled() {
        return settings.serving().polled();
    }

    @Override
    public int poll(int queue) {
        if (queue == EventQueue.INDEX) {
            return events.poll();
        }
        int given = super.poll(queue);
        doorbells.tell();
        return given;
    }

    @Override
    public void stop() {
        super.stop();
        events.stop();
    }

    @Override
    public void reset(ResetKind kind) {
        control.lock();
        try {
            bypassWritable = false;
            events.reset();
            if (closed) {
                return;
            }
            if (kind == ResetKind.SYSTEM) {
                bypass.restore();
            }
            domains.detachAll(!settings.bypass().afterReset());
            deferred.run(() -> listeners.reset(kind));
            domains.gracePeriodIfNeeded();
            deferred.rethrow();
        } finally {
            control.unlock();
        }
    }

    @Override
    public long readConfig(int offset, int width) {
        return config.read(offset, width, bypass.value());
    }

    @Override
    public int configVersion() {
        return bypass.version();
    }

    @Override
    public void writeConfig(int offset, int width, long value) {
        if (!bypassWritable || !config.coversBypass(offset, width)) {
            return;
        }
        long written = ConfigSpace.bypassOf(offset, value);
        if (written > 1) {
            // Section 5.13.4.1 forbids the driver to write it and the device to show it.
            return;
        }
        control.lock();
        try {
            if (closed) {
                return;
            }
            bypass.set(written == 1);
            domains.changedBypass();
            domains.gracePeriodIfNeeded();
            listeners.bypassWritten(written == 1);
        } finally {
            control.unlock();
        }
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
        return new NodeSpace(HostMemory.collected(NodeSpace.bytesFor(settings.maxMappings(), tables)));
    }

    /** With a topology, the bit of BYPASS_CONFIG says nothing of bypass. */
    private Features ofStandard(Features accepted) {
        return settings.topology() == null ? accepted : accepted.without(IommuFeature.BYPASS_CONFIG);
    }

    private static int sizeOf(@Nullable DeviceQueue queue) {
        return queue == null ? 0 : queue.size();
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
