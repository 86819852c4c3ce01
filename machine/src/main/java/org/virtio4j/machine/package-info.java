// SPDX-License-Identifier: Apache-2.0

/**
 * Puts the parts of one guest together: which PCI function lies where, and which are endpoints of which IOMMU.
 *
 * <p>A {@link org.virtio4j.machine.Machine} holds the functions, and resets them in the order in which no DMA in flight
 * hits memory. A function has a {@link org.virtio4j.machine.PciAddress}, which is its identity towards an IOMMU too. A
 * guest learns who is behind an IOMMU from a {@link org.virtio4j.machine.ViotTable}.
 */
@NullMarked
package org.virtio4j.machine;

import org.jspecify.annotations.NullMarked;
