// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device;

import org.jspecify.annotations.Nullable;
import org.virtio4j.queue.DeviceQueue;
import org.virtio4j.vmm.FirstFailure;
import org.virtio4j.vmm.RegionKind;

/**
 * One activation of a device, from {@code DRIVER_OK} to the next reset: its queues, what was negotiated, and the ways
 * to call the guest. After the reset every method still may be called and does nothing.
 *
 * <p>Any thread may call; the methods that raise interrupts call the embedder and so are called under no lock.
 *
 * <p>The life cycle extends this class; a test of a device may, to drive the device without a transport.
 */
public abstract class DeviceContext {

    private static final String MEMORY_LOST = "guest memory was cut short while it was used: ";

    /** An activation that is about to begin. */
    protected DeviceContext() {
        // What there is to keep is the life cycle's.
    }

    /**
     * What device and driver agreed on.
     *
     * @return the negotiated set
     */
    public abstract Features features();

    /**
     * A queue as it is now; a driver may reset and enable it again with other settings.
     *
     * @param index which queue
     * @return the queue, or null while it is not enabled
     */
    public abstract @Nullable DeviceQueue queue(int index);

    /**
     * What lies at a guest-physical address, in the memory that the device's window or function was made with: for a
     * device that judges addresses, as an IOMMU does. A device reaches memory by its queues alone.
     *
     * @param gpa guest-physical address
     * @return the kind of the region; null where there is none, and {@link RegionKind#RAM} there while the embedder
     *         {@linkplain org.virtio4j.vmm.GuestMemory#beginExchange exchanges memory}
     */
    public abstract @Nullable RegionKind kindAt(long gpa);

    /**
     * Sends a used buffer notification, when {@link DeviceQueue#publish} has said that the driver wants one. Nothing
     * happens for a queue that is not enabled any more (virtio 1.4, section 2.6.1.1.1).
     *
     * @param queue index of the queue
     */
    public abstract void interrupt(int queue);

    /**
     * Sends a used buffer notification for a queue as it was served. Nothing happens if it was reset meanwhile, also if
     * it is enabled again by now: what was used before is nothing to that ring's driver (virtio 1.4, section
     * 2.6.1.1.1).
     *
     * @param index  index of the queue
     * @param served the queue as it was served
     */
    public abstract void interrupt(int index, DeviceQueue served);

    /**
     * Says that a queue has latched a {@link org.virtio4j.queue.QueueFailure}: the device needs a reset, and the driver
     * is told so once. Nothing happens if the queue was reset meanwhile, because its failure ended with the reset.
     *
     * @param index  index of the queue
     * @param failed the queue as it was served
     */
    public final void queueFailed(int index, DeviceQueue failed) {
        queueNeedsReset(index, failed, "queue " + index + ": " + failed.failure());
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
    public final void queueFailed(int index, DeviceQueue failed, Throwable thrown) {
        queueNeedsReset(index, failed, "queue " + index + ": " + (LostMemory.is(thrown) ? MEMORY_LOST : "") + thrown);
    }

    /**
     * Sets {@code DEVICE_NEEDS_RESET} and notifies the driver (virtio 1.4, section 2.1.2); only the first reason
     * counts.
     *
     * @param reason what went wrong, for the embedder
     */
    public abstract void needsReset(String reason);

    /** Says that the device configuration has changed: a new generation and a notification. */
    public abstract void configChanged();

    /**
     * Does what {@link #needsReset} does, unless the queue was reset meanwhile.
     *
     * @param index  index of the queue
     * @param failed the queue as it was served
     * @param reason what went wrong
     */
    protected abstract void queueNeedsReset(int index, DeviceQueue failed, String reason);

    /**
     * Says that a call of the device threw which was to serve a queue. It is not known what was served by then, and the
     * driver may wait for buffers that no thread looks at any more. So the device needs a reset, unless a {@link
     * QueueLoop} has already set it.
     *
     * @param index   index of the queue
     * @param kicked  the queue as it was before the call; null if it was not enabled
     * @param failure what came out of the call
     * @return what is to come out of the driver's notification; null if nothing is: memory that is cut short is the
     *         guest's loss, and no reason to disturb its virtual CPU
     */
    protected final @Nullable Throwable servingFailed(int index, @Nullable DeviceQueue kicked, Throwable failure) {
        if (kicked == null || ToldFailure.is(failure)) {
            return failure;
        }
        Throwable thrown = LostMemory.is(failure) ? null : failure;
        return FirstFailure.after(thrown, () -> queueFailed(index, kicked, failure));
    }
}
