// SPDX-License-Identifier: Apache-2.0
/**
 * What the writer of a device sees, and the one loop that serves every queue.
 *
 * <p><b>A device in fifteen lines.</b> A {@link org.virtio4j.device.QueueDevice} names its device type and makes its
 * queues. For each it says in a {@link org.virtio4j.device.ChainHandler} what is done with one {@link
 * org.virtio4j.device.ServedChain}. A {@link org.virtio4j.device.ServedQueue} says how a queue is served: in kicks, by
 * a worker, by polls, only while there is use for a buffer. A {@link org.virtio4j.device.KeptChain} is answered later,
 * out of order, by any thread; a {@link org.virtio4j.device.DeviceConfig} is a configuration whose changes the driver
 * is told of. A source of entropy is no more than that.
 *
 * <p><b>What is under it.</b> A {@link org.virtio4j.device.QueueWork} is the whole of what can be done with buffers: in
 * batches, with steps inside sections. A disk and the IOMMU give their queues one of these, and so does the handler's
 * adapter, {@code HandlerWork}. {@link org.virtio4j.device.VirtioDevice} is all that a life cycle asks of a device. It
 * says in a {@link org.virtio4j.device.DeviceInfo} and {@link org.virtio4j.device.Features} what it is. From {@code
 * DRIVER_OK} to the next reset it works through a {@link org.virtio4j.device.DeviceContext}: its queues, and the ways
 * to the guest. A {@link org.virtio4j.device.SoleOwner} keeps it to one transport; a {@link
 * org.virtio4j.device.DeviceListener} tells the embedder why it stands still.
 *
 * <p><b>Who calls what.</b> The life cycle (package {@code org.virtio4j.device.transport}) stands between a device and
 * its transport. It calls the device, and extends the context. A notification goes straight through: transport, {@link
 * org.virtio4j.device.VirtioDevice#kicked}, {@code ServedQueue}, {@link org.virtio4j.device.QueueLoop#kick}, {@code
 * QueueWork}, and the interrupt goes back through the context. Inside a loop, {@code Turns} decides whose turn it is to
 * serve, {@code BatchServer} takes a batch through its steps, {@code KeptChains} gives back what was answered later,
 * and {@code Reach} says when memory can be had for it: now, later, or never again.
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
 *
 * <p>More than 20 types, because a device's writer finds all there is for them in one place, and because the parts of
 * the loop are reached by nothing but the loop.
 */
@NullMarked
package org.virtio4j.device;

import org.jspecify.annotations.NullMarked;
