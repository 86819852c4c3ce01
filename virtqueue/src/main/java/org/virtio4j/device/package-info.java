// SPDX-License-Identifier: Apache-2.0
/**
 * What all virtio devices have in common, written once.
 *
 * <p>A device type implements {@link org.virtio4j.device.VirtioDevice}. A {@link org.virtio4j.device.DeviceLifecycle}
 * stands between it and a transport: it negotiates {@link org.virtio4j.device.Features}, keeps the status, sets queues
 * up, and resets. From {@code DRIVER_OK} to the next reset the device works through a {@link
 * org.virtio4j.device.DeviceContext}; the transport hears of interrupts through {@link
 * org.virtio4j.device.TransportSignals}, and keeps those of a level-triggered line in an {@link
 * org.virtio4j.device.InterruptStatus}.
 *
 * <p>Kicks go straight from the transport to the device, past every lock. Everything else a driver does to a device is
 * rare, and goes one at a time under the life cycle's control lock. That lock comes before any lock of a device, and a
 * device that works under its own lock never calls back into the life cycle for more than {@link
 * org.virtio4j.device.DeviceContext} offers.
 */
@NullMarked
package org.virtio4j.device;

import org.jspecify.annotations.NullMarked;
