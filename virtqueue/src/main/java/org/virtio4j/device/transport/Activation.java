// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device.transport;

import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;
import org.virtio4j.device.DeviceContext;
import org.virtio4j.device.Features;
import org.virtio4j.queue.DeviceQueue;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.vmm.MemoryRegion;
import org.virtio4j.vmm.RegionKind;
import org.virtio4j.vmm.RegionMap;

/**
 * What a device is given at {@code DRIVER_OK}: the queues that are open, and its signals to the transport. Signals are
 * counted while they are under way, so that a reset can wait for them.
 */
final class Activation extends DeviceContext {

    private final GuestMemory memory;
    private final TransportSignals signals;
    private final Reports reports;
    private final ConfigWindow config;
    private final Features features;
    private final AtomicReferenceArray<@Nullable DeviceQueue> queues;

    /** One place for each queue, and the last one for the configuration. */
    private final SignalsUnderWay underWay;
    private volatile boolean active = true;

    Activation(LifecycleState state, ConfigWindow config, Features features) {
        int queueCount = state.queues.length;
        this.memory = state.dma.memory();
        this.signals = state.signals;
        this.reports = state.reports;
        this.config = config;
        this.features = features;
        this.queues = new AtomicReferenceArray<>(queueCount);
        this.underWay = new SignalsUnderWay(queueCount + 1);
    }

    @Override
    public Features features() {
        return features;
    }

    @Override
    public @Nullable DeviceQueue queue(int index) {
        return queues.get(index);
    }

    @Override
    public @Nullable RegionKind kindAt(long gpa) {
        RegionMap map = memory.map();
        MemoryRegion region = map.find(gpa);
        return region != null ? region.kind() : map.complete() ? null : RegionKind.RAM;
    }

    @Override
    public void interrupt(int queue) {
        underWay.begin(queue);
        try {
            if (active && queues.get(queue) != null) {
                signals.queueInterrupt(queue);
            }
        } finally {
            underWay.end(queue);
        }
    }

    @Override
    @SuppressWarnings("ReferenceEquality") // a queue that was enabled again is another one
    public void interrupt(int index, DeviceQueue served) {
        underWay.begin(index);
        try {
            if (active && queues.get(index) == served) {
                signals.queueInterrupt(index);
            }
        } finally {
            underWay.end(index);
        }
    }

    @Override
    public void needsReset(String reason) {
        int place = queues.length();
        underWay.begin(place);
        try {
            if (active && reports.needReset(reason)) {
                reports.tell(reason);
            }
        } finally {
            underWay.end(place);
        }
    }

    @Override
    public void configChanged() {
        config.changed();
        int place = queues.length();
        underWay.begin(place);
        try {
            if (active) {
                signals.configInterrupt();
            }
        } finally {
            underWay.end(place);
        }
    }

    /** Counted for the queue, so that its reset finds the failure told, or keeps it from being told. */
    @Override
    @SuppressWarnings("ReferenceEquality") // a queue that was enabled again is another one
    protected void queueNeedsReset(int index, DeviceQueue failed, String reason) {
        underWay.begin(index);
        try {
            if (active && queues.get(index) == failed && reports.needReset(reason)) {
                reports.tell(reason);
            }
        } finally {
            underWay.end(index);
        }
    }

    /** See {@link #servingFailed}, which this package does not see. */
    @Nullable Throwable kickFailed(int index, @Nullable DeviceQueue kicked, Throwable failure) {
        return servingFailed(index, kicked, failure);
    }

    void place(int index, @Nullable DeviceQueue queue) {
        queues.set(index, queue);
    }

    /** Ends the activation: no signal of it begins any more. {@link #isQuiet} says when the last one is over. */
    void end() {
        active = false;
    }

    /** Whether no other thread is on its way to the transport for a queue that was taken away. */
    boolean isQuiet(int queue) {
        return underWay.isQuiet(queue);
    }

    /** The same for the whole activation. */
    boolean isQuiet() {
        for (int place = 0; place <= queues.length(); place++) {
            if (!underWay.isQuiet(place)) {
                return false;
            }
        }
        return true;
    }
}
