// SPDX-License-Identifier: Apache-2.0
/**
 * What the writer of a device sees, and the one loop that serves every queue.
 *
 * <p><b>What lives here.</b> A device type implements {@link org.virtio4j.device.VirtioDevice} and says in a {@link
 * org.virtio4j.device.DeviceInfo} and {@link org.virtio4j.device.Features} what it is. From {@code DRIVER_OK} to the
 * next reset it works through a {@link org.virtio4j.device.DeviceContext}: its queues, and the ways to the guest. It
 * makes a {@link org.virtio4j.device.QueueLoop} for each queue and says in a {@link org.virtio4j.device.QueueWork} what
 * is done with a buffer. A {@link org.virtio4j.device.SoleOwner} keeps the device to one transport; a {@link
 * org.virtio4j.device.DeviceListener} tells the embedder why it stands still.
 *
 * <p><b>Who calls what.</b> The life cycle (package {@code org.virtio4j.device.transport}) stands between a device and
 * its transport. It calls the device, and extends the context. A notification goes straight through: transport, {@link
 * org.virtio4j.device.VirtioDevice#kicked}, {@link org.virtio4j.device.QueueLoop#kick}, {@link
 * org.virtio4j.device.QueueWork}, and the interrupt goes back through the context. Inside a loop, {@code Turns} decides
 * whose turn it is to serve, {@code BatchServer} takes a batch through its steps, and {@code Reach} says when memory
 * can be had for it: now, later, or never again.
 *
 * <p><b>Sections.</b> A batch is taken in one <em>section</em> of the queue's DMA <em>handle</em>, worked on outside
 * any, and answered in another section. So a device that waits, for example for a file, does not delay a <em>grace
 * period</em>. While a <em>gate</em> is paused or memory is exchanged, the batch waits; once the gate was closed, or
 * the queue, it is dropped.
 *
 * <p><b>Order of locks.</b> From the outside in: the control lock of the life cycle, then the locks of the device. A
 * loop takes its turn first and the guard of its work after it. A turn that a device takes by {@link
 * org.virtio4j.device.QueueLoop#beginTurn} comes last. The methods of {@link org.virtio4j.device.DeviceContext} that
 * raise interrupts call the embedder, and so are called under no lock. A device that holds a lock of its own calls
 * nothing else of the life cycle's than a context offers.
 */
@NullMarked
package org.virtio4j.device;

import org.jspecify.annotations.NullMarked;
