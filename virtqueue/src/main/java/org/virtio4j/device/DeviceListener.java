// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device;

/**
 * Hears why a device stands still, in words for people. The embedder implements it, to log or to alarm.
 *
 * <p>Calls come on the thread that caused them, under no lock of this library, from several threads at once.
 */
public interface DeviceListener {

    /** A listener that does nothing. */
    DeviceListener NONE = new DeviceListener() { };

    /**
     * The driver has set {@code FEATURES_OK} and the device has not taken it (virtio 1.4, section 3.1.1, step 6).
     *
     * @param reason which bit is missing or too many
     */
    default void featuresRefused(String reason) {
        // For those who want to know.
    }

    /**
     * The device has set {@code DEVICE_NEEDS_RESET} (section 2.1.2).
     *
     * @param reason the first reason since the last reset, as {@link DeviceLifecycle#needsResetReason} has it
     */
    default void needsReset(String reason) {
        // For those who want to know.
    }

    /**
     * A reset waits for longer than it should for what the device is doing elsewhere, in a file that hangs, say. It
     * goes on waiting, or the driver does; nothing of the device reaches guest memory meanwhile.
     *
     * @param waitedNanos how long so far, in nanoseconds
     */
    default void resetDelayed(long waitedNanos) {
        // For those who want to know.
    }

    /**
     * A reset is complete.
     *
     * @param kind how much was taken back
     */
    default void resetCompleted(ResetKind kind) {
        // For those who want to know.
    }
}
