// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device;

import org.jspecify.annotations.Nullable;

/**
 * What one type of device does, apart from what all devices share. The IOMMU is one; the writer of another device
 * implements this interface, and gets the life cycle and every transport.
 *
 * <p>{@link #negotiated}, {@link #activate}, {@link #queueStarted}, {@link #queueStopped}, {@link #stop}, {@link
 * #reset} and {@link #writeConfig} are called one at a time, under the control lock of the device's life cycle, and so
 * must not wait for anything that takes time. {@link #readConfig} and {@link #configVersion} are called one at a time,
 * too, but at the same time as all others; they take no lock under which other code is called. {@link #kicked} is
 * called by any number of threads at once and under no lock, also while a reset is carried out; the queues of an ended
 * activation give nothing.
 *
 * <p><b>A reset comes in phases.</b> The queues are closed, and {@link #stop} is called; then {@link #isIdle} is asked,
 * under no lock and again and again, until nothing is being carried out any more; then {@link #reset} is called. The
 * reset of one queue goes the same way, with {@link #queueStopped} and {@link #isIdle}. A device whose queues are
 * served by {@link QueueLoop}s hands {@link QueueLoop#stop} and {@link QueueLoop#isIdle} on.
 */
public interface VirtioDevice {

    /**
     * What the device is.
     *
     * @return the same value each time
     */
    DeviceInfo info();

    /**
     * The device type's own feature bits. Those of rings and transports are added by the life cycle.
     *
     * @return a set that does not change while the device is in use
     */
    Features offered();

    /**
     * What keeps the device to one window or function. A device that has none is not guarded: two transports that are
     * given it by mistake both drive it.
     *
     * @return the same object each time, or null
     */
    default @Nullable SoleOwner owner() {
        return null;
    }

    /**
     * Says what was negotiated: the driver has set {@code FEATURES_OK}, and may use the configuration from now on
     * (virtio 1.4, section 3.1.1, step 7). A device whose configuration depends on it overrides this.
     *
     * @param features the accepted set, until the next reset
     */
    default void negotiated(Features features) {
        // Most devices look at the features of their activation.
    }

    /**
     * Begins operation: the driver has set {@code DRIVER_OK}.
     *
     * @param context queues and features, valid until the next reset
     */
    void activate(DeviceContext context);

    /**
     * Says that buffers may be available. Served before it returns, or by the thread that is serving already.
     *
     * <p>What this throws comes out of the driver's notification. {@code DEVICE_NEEDS_RESET} is set then, with a reason
     * that names it, unless it came from a {@link QueueLoop}, which has seen to that where it was the device's.
     *
     * @param queue index of an enabled queue
     */
    void kicked(int queue);

    /**
     * Whether the device's queues are polled: it finds what a driver makes available without being notified. Their
     * drivers are then asked to send no notification, for as long as a queue lives (virtio 1.4, section 2.7.10).
     *
     * @return the same value each time
     */
    default boolean isPolled() {
        return false;
    }

    /**
     * Looks at a queue. A thread of the embedder calls this again and again. Called by any number of threads at once
     * and under no lock, like {@link #kicked}, and at the same time as that. A device whose queues are served by {@link
     * QueueLoop}s hands {@link QueueLoop#poll} on.
     *
     * @param queue index of a queue that is enabled, or was a moment ago
     * @return how many buffers were given back: more than 0 says that it is worth looking again at once
     */
    default int poll(int queue) {
        kicked(queue);
        return 0;
    }

    /**
     * Says that a queue was enabled after the activation began. If this throws, the device needs a reset.
     *
     * @param queue index of the queue
     */
    default void queueStarted(int queue) {
        // Most devices look at the queue when it is kicked.
    }

    /**
     * Says that one queue is being reset or disabled while the device goes on (virtio 1.4, section 2.6.1). The queue
     * was closed before, so nothing of it reaches guest memory; a device that works for it elsewhere too, in a file for
     * example, begins to end that. Must not wait.
     *
     * @param queue index of the queue
     */
    default void queueStopped(int queue) {
        // Most devices have nothing to hurry.
    }

    /**
     * Says that the device is being reset, or that its activation has failed. All queues were closed before, so nothing
     * reaches guest memory. The device begins to end its work for the driver elsewhere. Must not wait.
     */
    default void stop() {
        // Most devices have nothing to hurry.
    }

    /**
     * Whether nothing is being carried out any more of what the driver had asked for by a queue that was closed: no
     * request of it takes effect after this has said so. Any thread, under no lock. If the calling thread is inside a
     * callback of this device, only the work of other threads counts; otherwise it would wait for itself.
     *
     * @param queue index of the queue
     * @return false while somebody is at it
     */
    default boolean isIdle(int queue) {
        return true;
    }

    /**
     * Clears all state that the driver has set up. The queues have been closed and the device is idle, so nothing that
     * it was about to do for the old driver reaches guest memory any more.
     *
     * @param kind how much is taken back
     */
    void reset(ResetKind kind);

    /**
     * Reads the device configuration.
     *
     * @param offset bytes, with {@code width} inside the configuration
     * @param width  1, 2, 4 or 8 bytes
     * @return the value, zero-extended
     */
    long readConfig(int offset, int width);

    /**
     * How often the configuration has changed other than by {@link #writeConfig}. A device whose configuration changes
     * while no driver has started it, so that there is no {@link DeviceContext#configChanged} to call, overrides this.
     * So does one with a field that a driver may read in two accesses: {@code configChanged} comes after the change,
     * and a driver that reads one half before the change and the other between the two sees no other generation.
     *
     * @return a number that differs after a change from what it was before; the change and its number are seen at once
     */
    default int configVersion() {
        return 0;
    }

    /**
     * Writes the device configuration; what cannot be written is ignored.
     *
     * @param offset bytes, with {@code width} inside the configuration
     * @param width  1, 2, 4 or 8 bytes
     * @param value  its low {@code width} bytes count
     */
    void writeConfig(int offset, int width, long value);
}
