// SPDX-License-Identifier: Apache-2.0
/**
 * Puts the parts of one guest together: at which place each function and window is, and which of them are endpoints of
 * which IOMMU.
 *
 * <p>A {@link org.virtio4j.machine.Topology} says what each IOMMU manages, by {@linkplain
 * org.virtio4j.machine.Location places}: a {@link org.virtio4j.machine.PciAddress} or a {@link
 * org.virtio4j.machine.MmioBase}. The embedder asks it which endpoint a device is, and so which translator its DMA goes
 * through. The guest is told the same in the form that its firmware knows: tables of ACPI ({@code acpi}), a device tree
 * ({@code tree}), or a list in the configuration of the IOMMU itself ({@link org.virtio4j.machine.TopologyItems}).
 *
 * <p>A {@link org.virtio4j.machine.Machine} holds the functions and windows. It resets and closes them in the right
 * order: devices that do DMA before IOMMUs, so that no DMA in flight reaches memory past one.
 *
 * <p>Functions and windows may come and go while the guest runs. Any thread may add, remove and reset. A topology is
 * immutable: it names places where nothing may lie yet.
 */
@NullMarked
package org.virtio4j.machine;

import org.jspecify.annotations.NullMarked;
