// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device;

/**
 * What makes a device of its type, apart from what all devices share. The IOMMU is one; whoever writes a device of
 * their own implements this and gets the life cycle and every transport.
 *
 * <p>{@link #activate}, {@link #queueStopped}, {@link #reset} and the configuration calls come one at a time, under the
 * control lock of the device's {@link DeviceLifecycle}. {@link #kicked} comes from any number of threads at once and
 * under no lock, also while a reset is carried out; the queues of an ended activation give nothing.
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
     * @param queue index of an enabled queue
     */
    void kicked(int queue);

    /**
     * Says that one queue was reset or disabled while the device goes on (virtio 1.4, section 2.6.1). The queue was
     * closed before, so nothing of it reaches guest memory; a device that works for it elsewhere too, in a file for
     * example, returns when it does not any more. Under the control lock, as {@link #reset}.
     *
     * @param queue index of the queue
     */
    default void queueStopped(int queue) {
        // Most devices do all their work between taking a buffer and giving it back.
    }

    /**
     * Forgets what the driver did. When it returns, nothing the device was about to do for the old driver reaches guest
     * memory. Its queues have been closed before the call.
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
