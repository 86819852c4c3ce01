// SPDX-License-Identifier: Apache-2.0
/**
 * A {@link org.virtio4j.machine.Topology} as tables of ACPI. A guest that finds its devices by ACPI, as PCs do, needs a
 * {@link org.virtio4j.machine.acpi.ViotTable}, which says who is behind which IOMMU. For devices over MMIO it also
 * needs a {@link org.virtio4j.machine.acpi.MmioDeviceTable}, which says that they are there; PCI functions it finds by
 * itself.
 *
 * <p>Both are bytes for the embedder to hand to the guest's firmware. QEMU takes a whole table by {@code -acpitable
 * file=}. All methods may be called from any thread.
 */
@NullMarked
package org.virtio4j.machine.acpi;

import org.jspecify.annotations.NullMarked;
