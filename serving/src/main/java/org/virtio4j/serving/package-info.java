// SPDX-License-Identifier: Apache-2.0

/**
 * Serves the devices of a machine to a vfio-user client such as QEMU, each device at a Unix socket of its own.
 *
 * <p>A {@link org.virtio4j.serving.ServedMachine} is made from a {@link org.virtio4j.serving.plan.MachinePlan}. The
 * plan does not change, so one plan can be served several times. A machine begins with {@code serve}, which makes the
 * folder, opens disks and sockets and writes the VIOT table, and ends with {@code close}, which takes all of that back
 * in the opposite order. Clients may come and go in between.
 * {@link org.virtio4j.serving.QemuArguments} are the words with which QEMU finds the sockets.
 *
 * <p>Each socket has a thread of its own, which serves what that client asks for. A polled device has one more, and so
 * has a console, for the socket where its user attaches ({@link org.virtio4j.serving.console.ConsoleSocket}). The
 * program that runs a machine asks it for {@code notices} several times a second. What the devices have to say waits
 * there, so no device waits for a program that prints. An {@link org.virtio4j.serving.IommuFollower} sees all that the
 * IOMMU does; this is how a recorder is connected, of which this package knows nothing.
 */
@NullMarked
package org.virtio4j.serving;

import org.jspecify.annotations.NullMarked;
