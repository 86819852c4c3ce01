// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device;

import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;
import org.virtio4j.queue.DeviceQueue;
import org.virtio4j.vmm.FirstFailure;
import org.virtio4j.vmm.MemoryRegion;
import org.virtio4j.vmm.RegionKind;
import org.virtio4j.vmm.RegionMap;

/**
 * One activation of a device, from {@code DRIVER_OK} to the next reset: its queues, what was negotiated, and the ways
 * to call the guest. After the reset every method still may be called and does nothing.
 *
 * <p>Any thread may call; the methods that raise interrupts call the embedder and so are called under no lock.
 */
public final class DeviceContext {

    private static final String MEMORY_LOST = "guest memory was cut short while it was used: ";

    private final DeviceLifecycle lifecycle;
    private final TransportSignals signals;
    private final Features features;
    private final AtomicReferenceArray<@Nullable DeviceQueue> queues;

    /** Who is on the way to the transport: one place for each queue, and the last one for the configuration. */
    private final SignalsUnderWay underWay;
    private volatile boolean active = true;

    DeviceContext(DeviceLifecycle lifecycle, TransportSignals signals, Features features, int queueCount) {
        this.lifecycle = lifecycle;
        this.signals = signals;
        this.features = features;
        this.queues = new AtomicReferenceArray<>(queueCount);
        this.underWay = new SignalsUnderWay(queueCount + 1);
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
     * What lies at a guest-physical address, in the memory that the device's window or function was made with: for a
     * device that judges addresses, as an IOMMU does. A device reaches memory by its queues alone.
     *
     * @param gpa guest-physical address
     * @return the kind of the region; null where there is none, and {@link RegionKind#RAM} there while the embedder
     *         {@linkplain org.virtio4j.vmm.GuestMemory#unsettle exchanges memory}
     */
    public @Nullable RegionKind kindAt(long gpa) {
        RegionMap map = lifecycle.memory().map();
        MemoryRegion region = map.find(gpa);
        return region != null ? region.kind() : map.settled() ? null : RegionKind.RAM;
    }

    /**
     * Sends a used buffer notification, when {@link DeviceQueue#publish} has said that the driver wants one. Nothing
     * happens for a queue that is not enabled any more (virtio 1.4, section 2.6.1.1.1).
     *
     * @param queue index of the queue
     */
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

    /**
     * Sends a used buffer notification for a queue as it was served. Nothing happens if it was reset meanwhile, also if
     * it is enabled again by now: what was used before is nothing to that ring's driver (virtio 1.4, section
     * 2.6.1.1.1).
     *
     * @param index  index of the queue
     * @param served the queue as it was served
     */
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

    /**
     * Says that a queue has latched a {@link org.virtio4j.queue.QueueFailure}: the device needs a reset, and the driver
     * is told so once. Nothing happens if the queue was reset meanwhile, for its failure ended with it.
     *
     * @param index  index of the queue
     * @param failed the queue as it was served
     */
    public void queueFailed(int index, DeviceQueue failed) {
        failed(index, failed, "queue " + index + ": " + failed.failure());
    }

    /**
     * Says that something threw while a queue was served: the device needs a reset, with a reason that names it. Where
     * guest memory was cut short, of which the JVM makes an {@link InternalError}, the reason says so. Nothing happens
     * if the queue was reset meanwhile.
     *
     * @param index  index of the queue
     * @param failed the queue as it was served
     * @param thrown what was thrown
     */
    public void queueFailed(int index, DeviceQueue failed, Throwable thrown) {
        failed(index, failed, "queue " + index + ": " + (LostMemory.is(thrown) ? MEMORY_LOST : "") + thrown);
    }

    /**
     * Sets {@code DEVICE_NEEDS_RESET} and notifies the driver (virtio 1.4, section 2.1.2); only the first reason
     * counts.
     *
     * @param reason what went wrong, for {@link DeviceLifecycle#needsResetReason}
     */
    public void needsReset(String reason) {
        int place = queues.length();
        underWay.begin(place);
        try {
            if (active && lifecycle.latchNeedsReset(reason)) {
                tellNeedsReset(reason);
            }
        } finally {
            underWay.end(place);
        }
    }

    /** Says that the device configuration has changed: a new generation and a notification. */
    public void configChanged() {
        lifecycle.configChanged();
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

    void place(int index, @Nullable DeviceQueue queue) {
        queues.set(index, queue);
    }

    /**
     * Ends the activation: no signal of it begins any more, and those under way are waited for by who looks at them.
     */
    void end() {
        active = false;
    }

    /** Whether no other thread is on its way to the transport for a queue that was taken away, or for an activation. */
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

    /** Counted for the queue, so that its reset finds the failure told, or keeps it from being told. */
    @SuppressWarnings("ReferenceEquality") // a queue that was enabled again is another one
    private void failed(int index, DeviceQueue failed, String reason) {
        underWay.begin(index);
        try {
            if (active && queues.get(index) == failed && lifecycle.latchNeedsReset(reason)) {
                tellNeedsReset(reason);
            }
        } finally {
            underWay.end(index);
        }
    }

    private void tellNeedsReset(String reason) {
        Throwable thrown = FirstFailure.after(null, signals::configInterrupt);
        FirstFailure.throwIt(FirstFailure.after(thrown, () -> lifecycle.listener().needsReset(reason)));
    }
}
