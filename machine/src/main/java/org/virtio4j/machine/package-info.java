// SPDX-License-Identifier: Apache-2.0

/**
 * Puts the parts of one guest together: at which address each PCI function is, and which functions are endpoints of
 * which IOMMU.
 *
 * <p>A {@link org.virtio4j.machine.Machine} holds the functions. It resets and closes them in the right order: devices
 * that do DMA before the IOMMU, so that no DMA in flight reaches memory past it. A {@link
 * org.virtio4j.machine.PciAddress} is where a function is on the bus and, as a number, its identity towards an IOMMU.
 * A {@link org.virtio4j.machine.ViotTable} tells the guest which functions are behind the IOMMU.
 *
 * <p>One thread puts a machine together, before the guest runs. Any thread may reset it.
 */
@NullMarked
package org.virtio4j.machine;

import org.jspecify.annotations.NullMarked;
