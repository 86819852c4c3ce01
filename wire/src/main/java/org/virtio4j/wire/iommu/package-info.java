// SPDX-License-Identifier: Apache-2.0

/**
 * The numbers of the virtio 1.4 specification's section 5.13, the IOMMU device: its configuration space, its feature
 * bits, its five requests and the report it sends when an access faults.
 *
 * <p>A driver talks to the device in requests. Each is one descriptor chain of two halves: what the device reads,
 * beginning with a {@link org.virtio4j.wire.iommu.RequestHead}, and what it writes, ending with a
 * {@link org.virtio4j.wire.iommu.RequestTail}. Offsets of the request classes count from the first readable byte, so
 * the head's fields are part of each layout; their {@code SIZE} is that of the readable half alone. Where the tail
 * begins is a matter of how much the driver made writable, and therefore of the device, not of a constant.
 *
 * <p>{@link org.virtio4j.wire.iommu.TopologyConfig} and its two items are from a proposal that is not part of the
 * standard.
 *
 * <p>Offsets and sizes are {@code long} and in bytes; flags, statuses and types are {@code int}. Every multi-byte field
 * is little-endian, every range is inclusive at both ends. All members may be used from any thread.
 */
@NullMarked
package org.virtio4j.wire.iommu;

import org.jspecify.annotations.NullMarked;
