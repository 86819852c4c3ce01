// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;
import org.virtio4j.queue.DeviceQueue;

/**
 * One activation of a device, from {@code DRIVER_OK} to the next reset: its queues, what was negotiated, and the ways
 * to call the guest. After the reset every method still may be called and does nothing.
 *
 * <p>Any thread may call; the methods that raise interrupts call the embedder and so are called under no lock.
 */
public final class DeviceContext {

    private final DeviceLifecycle lifecycle;
    private final TransportSignals signals;
    private final Features features;
    private final AtomicReferenceArray<@Nullable DeviceQueue> queues;

    /**
     * How many threads are on their way to the transport; resets of the device and of a queue wait for them, so that
     * none arrives after.
     */
    private final AtomicInteger signalling = new AtomicInteger();
    private volatile boolean active = true;

    DeviceContext(DeviceLifecycle lifecycle, TransportSignals signals, Features features, int queueCount) {
        this.lifecycle = lifecycle;
        this.signals = signals;
        this.features = features;
        this.queues = new AtomicReferenceArray<>(queueCount);
    }

    /**
     * What device and driver agreed on.
     *
     * @return the negotiated set
     */
    public Features features() {
        return features;
    }

    /**
     * A queue as it is now; a driver may reset and enable it again with other settings.
     *
     * @param index which queue
     * @return the queue, or null while it is not enabled
     */
    public @Nullable DeviceQueue queue(int index) {
        return queues.get(index);
    }

    /**
     * Sends a used buffer notification, when {@link DeviceQueue#publish} has said that the driver wants one. Nothing
     * happens for a queue that is not enabled any more (virtio 1.4, section 2.6.1.1.1).
     *
     * @param queue index of the queue
     */
    public void interrupt(int queue) {
        try {
            if (startSignal() && queues.get(queue) != null) {
                signals.queueInterrupt(queue);
            }
        } finally {
            signalling.decrementAndGet();
        }
    }

    /**
     * Says that a queue has latched a {@link org.virtio4j.queue.QueueFailure}: the device needs a reset, and the driver
     * is told so once.
     *
     * @param queue index of the queue
     */
    public void queueFailed(int queue) {
        DeviceQueue failed = queues.get(queue);
        if (failed != null) {
            needsReset("queue " + queue + ": " + failed.failure());
        }
    }

    /**
     * Sets {@code DEVICE_NEEDS_RESET} and notifies the driver (virtio 1.4, section 2.1.2); only the first reason
     * counts.
     *
     * @param reason what went wrong, for {@link DeviceLifecycle#needsResetReason}
     */
    public void needsReset(String reason) {
        try {
            if (startSignal() && lifecycle.latchNeedsReset(reason)) {
                signals.configInterrupt();
            }
        } finally {
            signalling.decrementAndGet();
        }
    }

    /** Says that the device configuration has changed: a new generation and a notification. */
    public void configChanged() {
        lifecycle.configChanged();
        try {
            if (startSignal()) {
                signals.configInterrupt();
            }
        } finally {
            signalling.decrementAndGet();
        }
    }

    void place(int index, @Nullable DeviceQueue queue) {
        queues.set(index, queue);
    }

    /** Ends the activation; afterwards no signal of it is under way. */
    void end() {
        active = false;
        awaitSignals();
    }

    /** Returns when no signal is under way that began before what the caller took away. */
    void awaitSignals() {
        while (signalling.get() != 0) {
            Thread.onSpinWait();
        }
    }

    /** Counts first and looks then, as {@link #end} writes first and counts then: one of the two notices the other. */
    private boolean startSignal() {
        signalling.incrementAndGet();
        return active;
    }
}
