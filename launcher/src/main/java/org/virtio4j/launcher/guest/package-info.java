// SPDX-License-Identifier: Apache-2.0

/**
 * Boots a stock Linux under a stock QEMU and lets it work with disk and entropy source behind an IOMMU.
 *
 * <p>What is booted is unpacked from Debian's packages ({@link org.virtio4j.launcher.guest.Packages}): a {@link
 * org.virtio4j.launcher.guest.Qemu}, and a {@link org.virtio4j.launcher.guest.Kernel} with the modules of its drivers,
 * which {@link org.virtio4j.launcher.guest.KernelModules} puts in order. The guest's whole system is an {@link
 * org.virtio4j.launcher.guest.Initramfs}: busybox, modules and the script {@code init}, which says what it finds and
 * does one {@link org.virtio4j.launcher.guest.Workload}. {@link org.virtio4j.launcher.guest.QemuCommand} puts the
 * machine into words for QEMU.
 *
 * <p>A {@link org.virtio4j.launcher.guest.GuestRun} is QEMU as a child process from its start to its end, whatever that
 * end is. The guest is heard through its serial console only, line by line: a {@link
 * org.virtio4j.launcher.guest.ConsoleLine} is one of them understood, and {@link
 * org.virtio4j.launcher.guest.GuestFacts} is what all of them said.
 */
@NullMarked
package org.virtio4j.launcher.guest;

import org.jspecify.annotations.NullMarked;
