// SPDX-License-Identifier: Apache-2.0

/**
 * The numbers of the virtio 1.4 specification's section 5.2, the block device: its configuration space, its feature
 * bits and its requests.
 *
 * <p>A request is one descriptor chain of two halves: what the device reads, beginning with a
 * {@link org.virtio4j.wire.block.RequestHeader}, and what it writes, ending with one byte of
 * {@link org.virtio4j.wire.block.RequestStatus}. How a driver cuts the halves into descriptors has no meaning.
 *
 * <p>Offsets and sizes are {@code long} and in bytes, with the exception of the sector, an {@code int}; flags, statuses
 * and types are {@code int}. Every multi-byte field is little-endian. All members may be used from any thread.
 */
@NullMarked
package org.virtio4j.wire.block;

import org.jspecify.annotations.NullMarked;
