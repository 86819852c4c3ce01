// SPDX-License-Identifier: Apache-2.0
/**
 * Serves PCI functions to another process, the client, which need not be Java: QEMU's {@code vfio-user-pci} puts one
 * into a machine with no patch, no kernel module and no root, and a storage toolkit drives one without a machine (the
 * protocol is QEMU's {@code docs/interop/vfio-user.rst}, version 0.0).
 *
 * <p>An embedder uses {@link org.virtio4j.vfiouser.VfioUserSocket}, one for each function, with {@link
 * org.virtio4j.vfiouser.VfioUserOptions} and perhaps a {@link org.virtio4j.vfiouser.RefusalListener}. Behind them:
 *
 * <ul>
 * <li>Clients: {@code ClientTurns} serves one after the other on the socket's thread.
 * <li>Messages: {@code ClientSession} receives the messages of one client one by one, as {@code RequestMessage}, and
 * answers with a {@code ReplyMessage}. {@code Handshake} answers the first one. {@code CommandDispatcher} passes every
 * other to the part that carries it out.
 * <li>Memory: {@code DmaWindows} turns the client's windows into regions of guest memory, which are parts of {@code
 * MappedFiles}.
 * <li>Registers: {@code DeviceQueries} says what regions and interrupts there are, {@code RegionRegisters} turns
 * accesses to a region into accesses to the function.
 * <li>Interrupts: {@code InterruptSetup} gives {@code VectorSignals} and {@code PinSignal} the client's eventfds.
 * </ul>
 *
 * <p>Memory comes as descriptors, which are mapped. A client can shorten what it has shared, unless it has sealed it.
 * Touching what is gone is an {@link InternalError}: the device at work then needs a reset, with a reason that says so.
 * No other machine of this process notices. Which accesses the JVM turns into that error, and which end the process, is
 * said at {@link org.virtio4j.vmm}. {@link org.virtio4j.vfiouser.VfioUserOptions#withSealedMemory(boolean)} refuses
 * memory that is not sealed.
 *
 * <p>All work of a socket is done on its one thread. Interrupts are raised, and memory is used, on whatever threads the
 * devices work on.
 */
@NullMarked
package org.virtio4j.vfiouser;

import org.jspecify.annotations.NullMarked;
