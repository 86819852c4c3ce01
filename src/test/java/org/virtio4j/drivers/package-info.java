// SPDX-License-Identifier: Apache-2.0
/**
 * Drivers as they are in the field, each with the liberties it takes, over every {@link
 * org.virtio4j.transport.TransportKind}: {@code docs/drivers.md} says which driver was read, and what the text says.
 * Nothing here is their code. A driver that knows one transport only is tried with its habits on the others, too.
 */
@NullMarked
package org.virtio4j.drivers;

import org.jspecify.annotations.NullMarked;
