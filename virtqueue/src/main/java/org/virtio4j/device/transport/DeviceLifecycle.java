// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device.transport;

import org.virtio4j.device.DeviceInfo;
import org.virtio4j.device.DeviceListener;
import org.virtio4j.device.ResetKind;
import org.virtio4j.device.VirtioDevice;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.queue.SplitQueue;
import org.virtio4j.wire.DeviceStatus;

/**
 * The life of one device as every transport drives it (virtio 1.4, sections 2.1 to 2.6 and 3.1). Its parts are the
 * {@linkplain #features features}, the {@linkplain #queues queues}, the {@linkplain #kicks kicks} and the {@linkplain
 * #config configuration}; status and resets, in which all parts come together, are here. A transport spells these calls
 * as registers and adds nothing. What a driver writes against the rules is ignored, and reading back shows it; nothing
 * throws because of it.
 *
 * <p>Any thread may call any method. Most take the control lock, but {@link #status} does so only while a reset is
 * under way. No method waits under that lock for what a device does elsewhere: a reset stops everything under it, waits
 * outside of it, and is finished under it; see {@link VirtioDevice}. The package page states the order of locks.
 */
public final class DeviceLifecycle {

    private final LifecycleState state;
    private final FeatureNegotiation features;
    private final ConfigWindow config;
    private final QueueKicks kicks;
    private final QueueSet queues;
    private final DeviceReset resets;
    private final StatusSteps steps;

    /**
     * Puts a device behind a transport.
     *
     * @param device        the device; it belongs to this life cycle alone
     * @param dma           what its rings and buffers are reached through
     * @param signals       the transport's way to the guest
     * @param patienceNanos how long a reset waits for what the device is doing elsewhere before its caller goes on, in
     *                      nanoseconds; {@link Long#MAX_VALUE} where a driver cannot see whether a reset is complete
     * @throws IllegalArgumentException if the device offers bits that are not a device type's to offer
     */
    public DeviceLifecycle(VirtioDevice device, DmaSpace dma, TransportSignals signals, long patienceNanos) {
        this(device, dma, signals, patienceNanos, SplitQueue::new);
    }

    DeviceLifecycle(VirtioDevice device, DmaSpace dma, TransportSignals signals, long patienceNanos,
            Activator.RingFactory rings) {
        state = new LifecycleState(device, dma, signals, patienceNanos);
        features = new FeatureNegotiation(state);
        config = new ConfigWindow(state);
        Activator activator = new Activator(state, config, rings);
        kicks = new QueueKicks(state, activator);
        queues = new QueueSet(state, features, activator, kicks);
        resets = new DeviceReset(state, activator, features, config);
        steps = new StatusSteps(state, features, activator, kicks);
    }

    /**
     * What device this is.
     *
     * @return what {@link VirtioDevice#info} said
     */
    public DeviceInfo info() {
        return state.info;
    }

    /**
     * What is offered and accepted.
     *
     * @return the same object each time
     */
    public FeatureNegotiation features() {
        return features;
    }

    /**
     * The queues as the driver sets them up.
     *
     * @return the same object each time
     */
    public QueueSet queues() {
        return queues;
    }

    /**
     * Where notifications and polls go. A transport keeps it in a field, because it is used for each notification.
     *
     * @return the same object each time
     */
    public QueueKicks kicks() {
        return kicks;
    }

    /**
     * The device configuration.
     *
     * @return the same object each time
     */
    public ConfigWindow config() {
        return config;
    }

    /**
     * Sets the listener that is told why the device stands still.
     *
     * @param told the listener that replaces the one before
     */
    public void listener(DeviceListener told) {
        state.reports.listener(told);
    }

    /**
     * Takes the device for this life cycle alone, until the reset that follows on {@link #end} is complete. The last
     * step of a transport's construction that may fail, so that a transport which was never made does not keep it.
     *
     * @throws IllegalStateException if another life cycle has it, where the device looks ({@link VirtioDevice#owner})
     */
    public void claim() {
        resets.claim();
    }

    /**
     * Lets no driver start the device any more: what it writes to the status is ignored. A reset must follow; once that
     * is complete, the device may be given to another life cycle, and this one leaves it alone.
     */
    public void end() {
        resets.endAfterNext();
    }

    /**
     * The device status. While a reset is under way, this finishes it if it can be finished, and otherwise shows the
     * old status (virtio 1.4, section 4.1.4.3.1).
     *
     * @return a sum of {@link DeviceStatus} bits
     */
    public int status() {
        return isResetting() ? resets.statusAfterLook() : state.status.bits();
    }

    /**
     * The device status, for a transport that has something to do when a reset is complete that took longer than its
     * writer has waited: this look may finish it.
     *
     * @param follow called under no lock, also if the look threw, but only if a reset was under way before the look and
     *               none is after it; it may wait for a call to the embedder
     * @return as {@link #status()}
     */
    public int status(Runnable follow) {
        return isResetting() ? resets.statusAfterLook(follow) : state.status.bits();
    }

    /**
     * Writes the device status. 0 is a {@link #reset}; anything else is ignored while a reset is under way. So is a
     * step that clears a bit, or that takes {@code FEATURES_OK} without {@code DRIVER} or {@code DRIVER_OK} without
     * {@code FEATURES_OK}. Nothing needs {@code ACKNOWLEDGE}.
     *
     * @param value what the driver wrote; bits that are not the driver's to set are ignored
     */
    public void writeStatus(int value) {
        if (value == 0) {
            boolean ignored = reset(ResetKind.DEVICE);
        } else {
            steps.write(value);
        }
    }

    /**
     * Resets the device. From the moment this has closed the queues, which takes no longer than the sections that are
     * open, no earlier request reaches guest memory any more. Then it waits until nothing is being carried out any
     * more, up to the transport's patience, and finishes: no earlier interrupt is sent after that. A reset that is not
     * complete by then is finished by {@link #status}, which shows another value than 0 until then, or by the next call
     * of this.
     *
     * <p>From within a callback of the device's own, what the callback's thread has at work is not waited for.
     *
     * @param kind how much is taken back
     * @return whether the reset is complete
     */
    public boolean reset(ResetKind kind) {
        return resets.reset(kind);
    }

    boolean isResetting() {
        return state.isResetting();
    }

    /**
     * Why {@code DEVICE_NEEDS_RESET} is set.
     *
     * @return the first reason since the last reset; empty if there is none
     */
    public String needsResetReason() {
        return state.status.reason();
    }
}
