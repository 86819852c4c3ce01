// SPDX-License-Identifier: Apache-2.0
/**
 * The one life cycle of a device, which every transport drives. For transports alone: a device's writer needs nothing
 * of it.
 *
 * <p><b>What lives here.</b> A transport makes one {@link org.virtio4j.device.transport.DeviceLifecycle} for its device
 * and hands it a {@link org.virtio4j.device.transport.TransportSignals}, the way back to the guest. Each register that
 * transports share belongs to one class:
 *
 * <ul>
 * <li>device status, device reset: {@link org.virtio4j.device.transport.DeviceLifecycle}. Behind it {@code
 *     StatusMachine} has the bits and their order, {@code StatusSteps} does what {@code FEATURES_OK} and {@code
 *     DRIVER_OK} lead to, {@code Activator} starts the device and opens its queues, and {@code DeviceReset} carries out
 *     a reset.
 * <li>feature bits: {@link org.virtio4j.device.transport.FeatureNegotiation}.
 * <li>queue size, addresses, enable, disable, queue reset: {@link org.virtio4j.device.transport.QueueSet}. {@code
 *     QueueRegisters} is what the driver has written of one queue, {@code QueueStop} ends one while the device goes on.
 * <li>notification: {@link org.virtio4j.device.transport.QueueKicks}.
 * <li>device configuration and its generation: {@link org.virtio4j.device.transport.ConfigWindow}.
 * <li>interrupt status with a level-triggered line: {@link org.virtio4j.device.transport.InterruptStatus}.
 * </ul>
 *
 * <p>{@code Activation} is what the device is given from {@code DRIVER_OK} to the next reset. {@code LifecycleState} is
 * what all parts share, the lock included.
 *
 * <p><b>Who calls what.</b> Calls go down from the transport through the parts to {@link
 * org.virtio4j.device.VirtioDevice}; interrupts come up from the device through its activation to {@link
 * org.virtio4j.device.transport.TransportSignals}. Notifications and polls take no lock on either way.
 *
 * <p><b>A reset has three phases</b>, that of a device and that of one queue alike. It stops under the control lock:
 * queues are shut, so that no <em>section</em> of their <em>handles</em> begins any more, and the device is told. It
 * waits under no lock: {@code Endings} waits for the sections that are open, a <em>grace period</em> of each handle,
 * and {@code EndingWait} asks until the device is idle and no signal is under way ({@code SignalsUnderWay}). It
 * finishes under the control lock. A reset that takes longer than the transport's patience is finished by a later look
 * at the status.
 *
 * <p><b>Order of locks.</b> The control lock comes first. Under it handles are opened and the device is called, and an
 * IOMMU before the device and the device itself take locks of their own then. The lock of {@code ConfigWindow}'s
 * readers comes last, after all of these. So code that is called under a lock of a device or an IOMMU, such as an
 * IOMMU's listeners, may read configuration and status and send notifications. It may use nothing that takes the
 * control lock. Signals and listeners are called under no lock, but where {@link
 * org.virtio4j.device.transport.TransportSignals} says so.
 */
@NullMarked
package org.virtio4j.device.transport;

import org.jspecify.annotations.NullMarked;
