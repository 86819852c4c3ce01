// SPDX-License-Identifier: Apache-2.0
/**
 * Virtqueues, seen from the device.
 *
 * <p><b>What lives here.</b> A {@link org.virtio4j.queue.DeviceQueue} is the device's end of one ring; {@link
 * org.virtio4j.queue.SplitQueue} is the split layout. It fills {@link org.virtio4j.queue.Chain} slots that the device
 * owns, each a buffer with a readable and a writable run of bytes. Behind it, {@code RingPart} is one of the three
 * parts of a ring as it lies in host memory, {@code ChainWalker} follows descriptors and checks them, {@code
 * BufferLease} finds a buffer where it lies, and {@code InFlight} knows which buffers the device holds. Heads, indexes
 * and descriptors stay in this package, so another layout fits behind the same interface.
 *
 * <p><b>Who calls what.</b> The life cycle of a device makes a queue when its driver enables it, with a DMA handle of
 * its own, and later shuts and closes it. A {@code QueueLoop} serves the queue: it enters a section, takes chains,
 * gives them back, publishes what it gave back, and leaves. A device reads and writes its chains in between. This
 * package calls the handle, and no code of an embedder's.
 *
 * <p><b>The driver is not trusted.</b> Every descriptor is read once and checked. A rule that the driver broke latches
 * the queue with a {@link org.virtio4j.queue.QueueFailure}: nothing more is taken from it, while what was taken before
 * can still be given back.
 *
 * <p><b>Sections, leases, gates.</b> Ring and buffers are touched inside a <em>section</em> of the queue's
 * <em>handle</em> and nowhere else. Where a ring part lies is a <em>lease</em>. Each section checks it at its start
 * against the generations of guest memory and of translation, and resolves the part again if one of them has moved.
 * Code that takes memory or a mapping away moves the generation first and then waits for a <em>grace period</em>, so a
 * lease that is good at the start of a section is good to its end. A <em>gate</em> before the handle may be closed or
 * paused: the section then does not reach the ring. A chain that was taken before the gate was closed is dropped.
 *
 * <p><b>Locks.</b> There are none here. One thread at a time uses a queue; the device sees to that. {@link
 * org.virtio4j.queue.DeviceQueue#shut} and {@link org.virtio4j.queue.DeviceQueue#close} may come from any thread, and
 * close waits for the section that is open.
 *
 * <p>What this package relies on:
 *
 * <ol>
 * <li>Ring parts are aligned as section 2.7 asks and sizes are powers of two; the life cycle checks both before a queue
 *     exists.
 * <li>Memory regions and translated extents begin and end at 4096-byte boundaries, so only used elements may be cut in
 *     two.
 * </ol>
 */
@NullMarked
package org.virtio4j.queue;

import org.jspecify.annotations.NullMarked;
