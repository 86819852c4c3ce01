// SPDX-License-Identifier: Apache-2.0

/**
 * The numbers of the flattened device tree, the binary form in which firmware hands a device tree to a kernel
 * (Devicetree Specification 0.4, chapter 5). The form is also called blob or DTB.
 *
 * <p>A blob is a {@link org.virtio4j.wire.tree.BlobHeader} and three blocks whose places the header names: memory
 * reservations, each a {@link org.virtio4j.wire.tree.ReservationEntry}; the structure, a row of tokens ({@link
 * org.virtio4j.wire.tree.StructureToken}); and the names of the properties, as strings that end with a zero byte.
 *
 * <p>Offsets and sizes are {@code long} and in bytes; tokens and versions are {@code int}. Every multi-byte field is
 * <em>big-endian</em>, other than in the rest of this module. All members are constants and may be used from any
 * thread.
 */
@NullMarked
package org.virtio4j.wire.tree;

import org.jspecify.annotations.NullMarked;
