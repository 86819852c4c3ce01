// SPDX-License-Identifier: Apache-2.0
/**
 * Virtqueues, seen from the device.
 *
 * <p>A {@link org.virtio4j.queue.DeviceQueue} is the device's end of one ring; {@link org.virtio4j.queue.SplitQueue} is
 * the split layout. It fills {@link org.virtio4j.queue.Chain} slots that the device owns, each a buffer with a readable
 * and a writable run of bytes. Heads, indexes and descriptors stay in this package, so another layout fits behind the
 * same interface.
 *
 * <p>The driver is not trusted. Every descriptor is read once and checked; a rule that the driver broke latches the
 * queue with a {@link org.virtio4j.queue.QueueFailure} and nothing more is taken from it, while what was taken before
 * can still be completed. The ring's memory is a lease: it is checked at the start of each section against the
 * generations of guest memory and of translation, and found anew when one of them has moved.
 *
 * <p>What this package relies on:
 *
 * <ol>
 * <li>One thread at a time uses a queue; handing it over is the device's business (a lock, usually).
 * <li>Ring parts are aligned as section 2.7 asks and sizes are powers of two; the life cycle checks both before a queue
 *     exists.
 * <li>Memory regions and translated extents begin and end at 4096-byte boundaries, so only used elements may be cut in
 *     two.
 * </ol>
 */
@NullMarked
package org.virtio4j.queue;

import org.jspecify.annotations.NullMarked;
