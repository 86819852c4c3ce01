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
 * <p>Memory comes as descriptors, which are mapped. A client can shorten what it has shared, unless it has sealed it,
 * and touching what is gone is an {@link InternalError}: the device at work needs a reset, with a reason that says so,
 * and no other machine of this process notices. Which accesses the JVM turns into that error, and which end the
 * process, is said at {@link org.virtio4j.vmm}. Whoever wants no such thing at all insists on sealed memory.
 *
 * <p>All work of a socket is done on its one thread. Interrupts are raised, and memory is used, on whatever threads the
 * devices work on.
 */
@NullMarked
package org.virtio4j.vfiouser;

import org.jspecify.annotations.NullMarked;
