// SPDX-License-Identifier: Apache-2.0

/**
 * The numbers of the virtio 1.4 specification's section 5.3, the console device: its feature bits, its configuration
 * space and the queues of its first port.
 *
 * <p>Offsets and sizes are {@code long} and in bytes. Every multi-byte field is little-endian. All members may be used
 * from any thread.
 */
@NullMarked
package org.virtio4j.wire.console;

import org.jspecify.annotations.NullMarked;
