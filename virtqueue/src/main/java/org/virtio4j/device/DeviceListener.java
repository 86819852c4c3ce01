// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device;

/**
 * Is told why a device stands still, and when it goes on. A driver sees only a status bit, without a reason. The
 * embedder implements it, to tell somebody.
 *
 * <p>Called under no lock, on the thread that caused it, which may be a virtual CPU's: it should return soon, and may
 * look at the device. Calls of one device may come from several threads at once.
 */
public interface DeviceListener {

    /** Tells nobody. */
    DeviceListener NONE = new DeviceListener() { };

    /**
     * The driver has set {@code FEATURES_OK}, and the bit stays clear (virtio 1.4, section 3.1.1, step 6).
     *
     * @param reason which feature is in the way, such as "the driver did not accept ACCESS_PLATFORM (bit 33), but the
     *               device is behind the IOMMU"
     */
    default void featuresRefused(String reason) {
        // The driver reads it back.
    }

    /**
     * {@code DEVICE_NEEDS_RESET} is set (virtio 1.4, section 2.1.2): the device does nothing more until it is reset.
     * Called for the first reason since the last reset.
     *
     * @param reason what went wrong, such as "queue 0: CHAIN_TOO_LONG"
     */
    default void needsReset(String reason) {
        // The driver is told, too.
    }

    /**
     * A reset waits for longer than it should for what the device is doing elsewhere, in a file that hangs, say. It
     * goes on waiting, or the driver does; nothing of the device reaches guest memory meanwhile.
     *
     * @param waitedNanos how long so far, in nanoseconds
     */
    default void resetDelayed(long waitedNanos) {
        // The driver sees a status that is not 0.
    }

    /**
     * A reset is complete: no earlier request reaches guest memory any more.
     *
     * @param kind how much was taken back
     */
    default void resetCompleted(ResetKind kind) {
        // The driver reads status 0.
    }
}
