// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver;

/** How far a driver got with bringing a device up (virtio 1.4, section 3.1). */
public enum StartResult {
    /** The step is done. */
    OK,
    /** The status did not read 0 after a reset, however often it was read. */
    RESET_NOT_DONE,
    /** The device does not offer {@code VIRTIO_F_VERSION_1}: it follows no specification this driver knows. */
    NOT_VERSION_1,
    /** {@code FEATURES_OK} did not read back: the device does not work with the accepted features. */
    FEATURES_REFUSED,
    /** The device has no such queue. */
    NO_SUCH_QUEUE,
    /** The queue did not read back as enabled. */
    QUEUE_REFUSED,
    /** The configuration changed whenever it was read. */
    CONFIG_UNSTABLE,
    /** {@code DRIVER_OK} did not read back, or {@code DEVICE_NEEDS_RESET} did. */
    NOT_LIVE
}
