// SPDX-License-Identifier: Apache-2.0
/**
 * Drives a virtio device through the register window of virtio-mmio, version 2 (virtio 1.4, section 4.2).
 *
 * <p>{@link org.virtio4j.driver.mmio.MmioDriverTransport} looks whether a device stands behind a window, and then is
 * the way to it. Set-up belongs to one thread at a time. Notifying a queue may come from any thread.
 */
@NullMarked
package org.virtio4j.driver.mmio;

import org.jspecify.annotations.NullMarked;
