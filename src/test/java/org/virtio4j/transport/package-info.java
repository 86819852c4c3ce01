// SPDX-License-Identifier: Apache-2.0
/**
 * What a driver can see of a device, whatever transport is between: each rule of chapters 2 and 3 of virtio 1.4 is
 * written down once and runs over every {@link org.virtio4j.transport.TransportKind}. A {@link
 * org.virtio4j.transport.Port} is the one thing the tests know of a transport: a guest's driver on one side, an
 * embedder on the other, and the registers between.
 *
 * <p>What only one transport has is tested in its own module. What no transport shows, because a register cannot be
 * read or is too narrow, is tested in {@code org.virtio4j.device} on the life cycle alone.
 */
@NullMarked
package org.virtio4j.transport;

import org.jspecify.annotations.NullMarked;
