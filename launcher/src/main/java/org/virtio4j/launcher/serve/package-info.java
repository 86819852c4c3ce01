// SPDX-License-Identifier: Apache-2.0
/**
 * Serves the devices of guests to vfio-user clients, such as QEMU: a Unix socket for each PCI function.
 *
 * <p>A {@link org.virtio4j.launcher.serve.MachinePlan} says what one guest is to have: an IOMMU, and a {@link
 * org.virtio4j.launcher.serve.DevicePlan} for each other function. It comes from a {@link
 * org.virtio4j.launcher.serve.ConfigFile}, which a {@link org.virtio4j.launcher.serve.MachineReader} understands, or
 * from the guest that this project boots itself. A {@link org.virtio4j.launcher.serve.ServedMachine} is that plan at
 * work, from the first socket to the last; {@link org.virtio4j.launcher.serve.QemuArguments} tell QEMU where it is.
 */
@NullMarked
package org.virtio4j.launcher.serve;

import org.jspecify.annotations.NullMarked;
