// SPDX-License-Identifier: Apache-2.0
/**
 * Devices that do DMA, behind an IOMMU or not.
 *
 * <p>{@link org.virtio4j.endpoint.VirtioBlock} is a disk in a file, set up by a {@link
 * org.virtio4j.endpoint.VirtioBlockBuilder}; {@link org.virtio4j.endpoint.VirtioEntropy} gives random bytes. Both take
 * a chain in one section, work on it outside any section, and answer it in another one, so an UNMAP waits for a copy
 * and never for the host. A disk's data passes through a buffer of 64 KiB for each queue, piece by piece.
 *
 * <p>{@link org.virtio4j.endpoint.VirtioConsole} is a console with one port and a size, which is given a {@link
 * org.virtio4j.endpoint.ConsoleTerminal}. What is typed waits in {@code ConsoleInput} for buffers of the driver. What
 * the driver puts out goes through {@code ConsoleOutput}, which postpones what the terminal does not take. {@link
 * org.virtio4j.endpoint.ConsoleCounters} says how much went through.
 *
 * <p>Each is a {@link org.virtio4j.device.QueueDevice}: what serves a queue is there. A disk says in {@code
 * BlockRequest} what is done with a chain of one of its queues. The request reaches the chain's data through {@link
 * org.virtio4j.device.QueueLoop}, and the file through {@code DiskFile}. {@code DiskClaim} keeps other disks and
 * processes from the file. {@code BlockConfiguration} is what the driver reads in the configuration space.
 *
 * <p>A disk's queues are served by a thread each, on the thread that notifies, or by an embedder that calls {@link
 * org.virtio4j.endpoint.VirtioBlock#poll}. A {@link org.virtio4j.endpoint.BlockOutcome} says how a
 * request ended, {@link org.virtio4j.endpoint.BlockCounters} how often.
 *
 * <p>Any thread may notify, poll or reset a device; one thread at a time serves a queue. A disk takes no lock while it
 * waits for the host's file.
 */
@NullMarked
package org.virtio4j.endpoint;

import org.jspecify.annotations.NullMarked;
