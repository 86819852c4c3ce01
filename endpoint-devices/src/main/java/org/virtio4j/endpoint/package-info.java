// SPDX-License-Identifier: Apache-2.0
/**
 * Devices that do DMA, behind an IOMMU or not.
 *
 * <p>{@link org.virtio4j.endpoint.VirtioBlock} is a disk in a file, set up by a {@link
 * org.virtio4j.endpoint.VirtioBlockBuilder}; {@link org.virtio4j.endpoint.VirtioEntropy} gives random bytes. Both take
 * a chain in one section, work on it outside any section, and answer it in another one, so an UNMAP waits for a copy
 * and never for the host. A disk's data passes through a buffer of 64 KiB for each queue, piece by piece.
 *
 * <p>The way of a chain leads down through these classes: {@link org.virtio4j.device.QueueLoop} decides when a queue is
 * looked at and calls {@code ChainServer}, which counts work that is under way and passes the chain to a {@code
 * ChainHandler}: {@code BlockRequest} for a disk. The handler reaches the chain's data through {@code ChainData}, and
 * the file through {@code DiskFile}. {@code DiskClaim} keeps other disks and processes from the file. {@code
 * BlockConfiguration} is what the driver reads in the configuration space.
 *
 * <p>A disk's queues are served by a thread each ({@code QueueWorker}), on the thread that notifies, or by an embedder
 * that calls {@link org.virtio4j.endpoint.VirtioBlock#poll}. A {@link org.virtio4j.endpoint.BlockOutcome} says how a
 * request ended, {@link org.virtio4j.endpoint.BlockCounters} how often.
 *
 * <p>Any thread may notify, poll or reset a device; one thread at a time serves a queue. A disk guards its threads with
 * a lock of its own, which is taken after the life cycle's and never held during a wait for the host's file.
 */
@NullMarked
package org.virtio4j.endpoint;

import org.jspecify.annotations.NullMarked;
