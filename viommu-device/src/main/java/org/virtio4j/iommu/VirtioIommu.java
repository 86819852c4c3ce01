// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.virtio4j.device.DeviceContext;
import org.virtio4j.device.Features;
import org.virtio4j.device.QueueLoop;
import org.virtio4j.device.ResetKind;
import org.virtio4j.iommu.embedder.IommuListener;
import org.virtio4j.iommu.fault.EventQueue;
import org.virtio4j.iommu.request.Doorbells;
import org.virtio4j.iommu.request.ReplyWriter;
import org.virtio4j.iommu.request.RequestExecutor;
import org.virtio4j.iommu.request.RequestQueue;
import org.virtio4j.queue.DeviceQueue;
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
public final class VirtioIommu extends IommuEndpoints implements AutoCloseable {

    private static final int REQUESTS = 0;

    private final Doorbells doorbells;
    private final RequestExecutor executor;
    private final QueueLoop requests;
    private final ConfigSpace config;

    /** Whether the driver accepted the bypass byte; guarded by the life cycle's lock, as all that touches it. */
    private boolean bypassWritable;

    VirtioIommu(IommuSettings settings, List<IommuListener> observers) {
        super(settings, observers);
        this.config = new ConfigSpace(settings.limits(), settings.topology());
        this.doorbells = new Doorbells(endpoints, control, counters, listeners);
        this.executor = new RequestExecutor(settings.limits(), domains, attachments, mappingListeners, counters,
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
     * Serves requests that were made available without a kick, as {@link #kicked} would.
     */
    public void poll() {
        kicked(REQUESTS);
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
                attachments.close();
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
            attachments.detachAll();
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

    /** With a topology, the bit of BYPASS_CONFIG says nothing of bypass. */
    private Features ofStandard(Features accepted) {
        return settings.topology() == null ? accepted : accepted.without(IommuFeature.BYPASS_CONFIG);
    }

    private static int sizeOf(@Nullable DeviceQueue queue) {
        return queue == null ? 0 : queue.size();
    }
}
