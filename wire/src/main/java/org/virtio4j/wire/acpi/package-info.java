// SPDX-License-Identifier: Apache-2.0

/**
 * The numbers of ACPI 6.5 by which firmware tells a guest which devices are endpoints of which virtio-iommu: those of
 * the Virtual I/O Translation table (VIOT), and the few words of the ACPI Machine Language that describe a device.
 *
 * <p>Each table begins with an {@link org.virtio4j.wire.acpi.AcpiHeader}. A VIOT goes on with a {@link
 * org.virtio4j.wire.acpi.ViotHeader} and a list of nodes. A node is an IOMMU, such as a {@link
 * org.virtio4j.wire.acpi.ViotPciIommu}, or a set of endpoints, such as a {@link org.virtio4j.wire.acpi.ViotPciRange},
 * which points at its IOMMU. {@link org.virtio4j.wire.acpi.Aml} has the words of the language.
 *
 * <p>Offsets and sizes are {@code long} and in bytes; offsets of nodes count from the beginning of the table. Every
 * multi-byte field is little-endian. All members are constants and may be used from any thread.
 */
@NullMarked
package org.virtio4j.wire.acpi;

import org.jspecify.annotations.NullMarked;
