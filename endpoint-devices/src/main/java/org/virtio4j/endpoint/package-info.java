// SPDX-License-Identifier: Apache-2.0
/**
 * Devices that do DMA, behind an IOMMU or not.
 *
 * <p>{@link org.virtio4j.endpoint.VirtioBlock} is a disk in a file, set up by a {@link
 * org.virtio4j.endpoint.VirtioBlockBuilder}; {@link org.virtio4j.endpoint.VirtioEntropy} gives random bytes. Both take
 * a chain in one section, work on it in none, and give it back in another, so whoever takes a mapping away waits for a
 * copy and never for the host. A disk's data passes through a buffer of 64 KiB for each queue, piece by piece.
 *
 * <p>A disk's queues are served by one thread each, by who kicks, or by who calls {@link
 * org.virtio4j.endpoint.VirtioBlock#poll}. A {@link org.virtio4j.endpoint.BlockOutcome} says what became of a request,
 * {@link org.virtio4j.endpoint.BlockCounters} how often.
 */
@NullMarked
package org.virtio4j.endpoint;

import org.jspecify.annotations.NullMarked;
