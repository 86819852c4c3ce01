// SPDX-License-Identifier: Apache-2.0
/**
 * Serves PCI functions to another process, the client, which need not be Java: QEMU's {@code vfio-user-pci} puts one
 * into a machine with no patch, no kernel module and no root, and a storage toolkit drives one without a machine (the
 * protocol is QEMU's {@code docs/interop/vfio-user.rst}, version 0.0).
 *
 * <p>{@link org.virtio4j.vfiouser.VfioUserSocket} is all there is to use: a socket for each function. Behind it {@code
 * Client} takes the messages of one client one by one, as {@code Request} and {@code Reply}; {@code Service} says who
 * carries out what. {@code DmaWindows} turns the client's windows into regions of guest memory, which are parts of
 * {@code MappedFiles}, {@code RegionRegisters} its accesses into those of the function, {@code InterruptSetup} gives
 * {@code VectorSignals} and {@code PinSignal} their eventfds.
 *
 * <p>Memory comes as descriptors, which are mapped. A client could shorten what it has shared, and the processor would
 * then stop whoever touches it; so memory must be sealed against shrinking. For a file that the embedder has named the
 * risk is his choice: if it is cut short, the client is cut off and its function reset, and no other notices.
 *
 * <p>All work of a socket is done on its one thread. Interrupts are raised, and memory is used, on whatever threads the
 * devices work on.
 */
@NullMarked
package org.virtio4j.vfiouser;

import org.jspecify.annotations.NullMarked;
