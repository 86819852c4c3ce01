// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device.transport;

import org.jspecify.annotations.Nullable;
import org.virtio4j.vmm.FirstFailure;
import org.virtio4j.wire.DeviceStatus;
import org.virtio4j.wire.FeatureBit;

/**
 * The queues of a device as a driver sets them up: sizes, addresses, enabling, disabling and the reset of one queue
 * (virtio 1.4, sections 2.6, 4.1.5.1.3 and 4.2.3.2). Each call names the queue that the driver has selected, whatever
 * number that is; for a queue that does not exist nothing is done and 0 is shown.
 *
 * <p>Any thread. All take the control lock but {@link #count}, {@link #sizeMax} and {@link #isEnabled}.
 */
public final class QueueSet {

    private final LifecycleState state;
    private final QueueRegisters[] queues;
    private final FeatureNegotiation features;
    private final Activator activator;
    private final QueueStop stop;
    private final QueueKicks kicks;

    QueueSet(LifecycleState state, FeatureNegotiation features, Activator activator, QueueKicks kicks) {
        this.state = state;
        this.queues = state.queues;
        this.features = features;
        this.activator = activator;
        this.stop = new QueueStop(state, activator);
        this.kicks = kicks;
    }

    /**
     * How many queues there are.
     *
     * @return a count
     */
    public int count() {
        return queues.length;
    }

    /**
     * The largest size a queue can have.
     *
     * @param queue what the driver selected
     * @return entries
     */
    public int sizeMax(long queue) {
        return state.exists(queue) ? queues[(int) queue].sizeMax() : 0;
    }

    /**
     * The size a queue has now.
     *
     * @param queue what the driver selected
     * @return entries
     */
    public int size(long queue) {
        state.lock.lock();
        try {
            return state.exists(queue) ? queues[(int) queue].size() : 0;
        } finally {
            state.lock.unlock();
        }
    }

    /**
     * Chooses the size of a queue. Ignored while the queue is enabled, and for anything but a power of two up to the
     * largest size.
     *
     * @param queue what the driver selected
     * @param size  entries
     * @param shown whether the driver can read the size back; else a queue whose size was not taken cannot be enabled
     */
    public void writeSize(long queue, long size, boolean shown) {
        state.lock.lock();
        try {
            if (state.exists(queue)) {
                queues[(int) queue].writeSize(size, shown);
            }
        } finally {
            state.lock.unlock();
        }
    }

    /**
     * Where an area of a queue lies.
     *
     * @param queue what the driver selected
     * @param area  which part
     * @return the address that was written
     */
    public long address(long queue, QueueArea area) {
        state.lock.lock();
        try {
            return state.exists(queue) ? queues[(int) queue].address(area) : 0;
        } finally {
            state.lock.unlock();
        }
    }

    /**
     * Says where an area of a queue lies. Ignored while the queue is enabled.
     *
     * @param queue   what the driver selected
     * @param area    which part
     * @param address an address of the device's DMA space
     */
    public void writeAddress(long queue, QueueArea area, long address) {
        writeAddressBits(queue, area, address, -1L);
    }

    /**
     * Writes bits 0 to 31 of an area's address.
     *
     * @param queue what the driver selected
     * @param area  which part
     * @param bits  the low half
     */
    public void writeAddressLow(long queue, QueueArea area, int bits) {
        writeAddressBits(queue, area, Integer.toUnsignedLong(bits), -1L >>> Integer.SIZE);
    }

    /**
     * Writes bits 32 to 63 of an area's address.
     *
     * @param queue what the driver selected
     * @param area  which part
     * @param bits  the high half
     */
    public void writeAddressHigh(long queue, QueueArea area, int bits) {
        writeAddressBits(queue, area, (long) bits << Integer.SIZE, -1L << Integer.SIZE);
    }

    private void writeAddressBits(long queue, QueueArea area, long bits, long mask) {
        state.lock.lock();
        try {
            if (state.exists(queue)) {
                QueueRegisters registers = queues[(int) queue];
                registers.writeAddress(area, (registers.address(area) & ~mask) | bits);
            }
        } finally {
            state.lock.unlock();
        }
    }

    /**
     * Whether a queue is enabled.
     *
     * @param queue what the driver selected
     * @return false also when there is no such queue
     */
    public boolean isEnabled(long queue) {
        return state.exists(queue) && queues[(int) queue].enabled();
    }

    /**
     * Enables a queue with the size and addresses written so far. A queue whose areas are misaligned or wrap around, or
     * whose size was not taken, stays disabled, and the device needs a reset. So it is with a queue that a running
     * device fails to start: what that failed by comes out.
     *
     * @param queue what the driver selected; ignored when there is no such queue, or it is enabled or being reset
     */
    public void enable(long queue) {
        Activation active;
        Throwable failed = null;
        String refused;
        boolean first = false;
        state.lock.lock();
        try {
            active = activator.current();
            if (!state.exists(queue) || queues[(int) queue].enabled() || state.endings.isEnding((int) queue)) {
                return;
            }
            refused = queues[(int) queue].refusal();
            if (refused.isEmpty()) {
                failed = start(active, (int) queue);
            }
            first = active == null && !refused.isEmpty() && state.reports.needReset("queue " + queue + ": " + refused);
        } finally {
            state.lock.unlock();
        }
        if (failed != null) {
            stop.await((int) queue, state.patienceNanos, active, failed, "could not start: ");
        } else if (!refused.isEmpty()) {
            state.reports.tellRefused(active, first, "queue " + queue + ": " + refused);
        } else if (activator.isPolled()) {
            // Its driver is asked not to notify before it does so for the first time.
            kicks.kick(queue);
        }
    }

    /** What kept a device that runs from starting the queue, which is stopped then; null if nothing did. */
    private @Nullable Throwable start(@Nullable Activation active, int queue) {
        Throwable failed = active == null ? null : FirstFailure.after(null, () -> activator.open(active, queue));
        if (failed != null) {
            return failed;
        }
        queues[queue].enabled(true);
        failed = active == null ? null : FirstFailure.after(null, () -> state.device.queueStarted(queue));
        return failed == null ? null : FirstFailure.join(failed, stop.begin(active, queue, false));
    }

    /**
     * Disables a queue, as only virtio-mmio can. Waits, however long it takes: when this returns, the ring and its
     * buffers are not touched any more, and nothing is being carried out for it.
     *
     * @param queue what the driver selected
     */
    public void disable(long queue) {
        Activation active;
        Throwable failed;
        state.lock.lock();
        try {
            if (!state.exists(queue)) {
                return;
            }
            active = activator.current();
            failed = stop.begin(active, (int) queue, false);
        } finally {
            state.lock.unlock();
        }
        stop.await((int) queue, Long.MAX_VALUE, active, failed, "");
    }

    /**
     * Resets one queue (section 2.6.1). When the reset is complete, the ring and its buffers are not touched any more,
     * nothing is being carried out for it, and all its state is back to the start. It is complete when this returns, or
     * when {@link #isResetting} says so if that takes longer than the transport's patience. Ignored unless {@code
     * VIRTIO_F_RING_RESET} was negotiated.
     *
     * @param queue what the driver selected
     * @return whether the queue is being reset, or was; also when an exception of the embedder's comes out instead
     */
    public boolean reset(long queue) {
        Activation active;
        Throwable failed;
        state.lock.lock();
        try {
            if (!canReset() || !state.exists(queue)) {
                return false;
            }
            active = activator.current();
            failed = stop.begin(active, (int) queue, true);
        } finally {
            state.lock.unlock();
        }
        stop.await((int) queue, state.patienceNanos, active, failed, "");
        return true;
    }

    private boolean canReset() {
        return state.status.has(DeviceStatus.FEATURES_OK) && features.accepted().has(FeatureBit.RING_RESET)
                && !state.isResetting();
    }

    /**
     * Whether a queue is being reset just now; finishes the reset if it can be finished.
     *
     * @param queue what the driver selected
     * @return true while a {@link #reset} is not complete
     */
    public boolean isResetting(long queue) {
        return state.exists(queue) && state.endings.isEnding((int) queue) && !stop.finish((int) queue)
                && state.endings.isReset((int) queue);
    }
}
