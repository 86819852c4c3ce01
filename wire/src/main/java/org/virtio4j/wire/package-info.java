// SPDX-License-Identifier: Apache-2.0

/**
 * The numbers of the virtio 1.4 specification that every virtio device shares, and nothing else: where the fields of
 * a ring lie, which bit means what, at which offset a register is found.
 *
 * <p>A virtqueue is a piece of guest memory that two parties read and write at once, and each must know where the
 * other looks. The device side of this project and its guest driver share no code with each other, but both take
 * their offsets from here, so that a typing error shows up as a test that cannot talk to its device rather than as
 * two errors that cancel out. {@link org.virtio4j.wire.SplitDescriptor}, {@link org.virtio4j.wire.AvailableRing} and
 * {@link org.virtio4j.wire.UsedRing} are the three parts of a split virtqueue;
 * {@link org.virtio4j.wire.MmioRegister} is the register window of the MMIO transport;
 * {@link org.virtio4j.wire.DeviceStatus}, {@link org.virtio4j.wire.FeatureBit} and
 * {@link org.virtio4j.wire.DeviceType} name what goes through it.
 *
 * <p>Offsets and sizes are {@code long} and in bytes, because they are added to addresses; flags, bit numbers and
 * identifiers are {@code int}. Every multi-byte field is little-endian. All members are compile-time constants or pure
 * functions and may be used from any thread.
 */
@NullMarked
package org.virtio4j.wire;

import org.jspecify.annotations.NullMarked;
