// SPDX-License-Identifier: Apache-2.0
/**
 * The numbers of the vfio-user protocol, version 0.0, as QEMU's document {@code docs/interop/vfio-user.rst} gives them:
 * how one process, the client, uses a PCI function that another one, the server, serves over a Unix stream socket.
 *
 * <p>Every message begins with a {@link org.virtio4j.wire.vfiouser.MessageHeader}, which names a
 * {@link org.virtio4j.wire.vfiouser.Command}; what follows is the body. The layouts here are those of bodies: their
 * offsets count from the end of the header. The indices of regions and interrupts, and the structures that carry them,
 * are those of Linux's {@code linux/vfio.h}.
 *
 * <p>Offsets and sizes are {@code long} and in bytes; commands, flags and indices are {@code int}. Every multi-byte
 * field has the byte order of the host; both ends run on one, and the only hosts that are supported are little-endian.
 * All members are constants and may be used from any thread.
 */
@NullMarked
package org.virtio4j.wire.vfiouser;

import org.jspecify.annotations.NullMarked;
