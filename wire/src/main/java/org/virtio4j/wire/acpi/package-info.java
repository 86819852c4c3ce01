// SPDX-License-Identifier: Apache-2.0

/**
 * The numbers of the Virtual I/O Translation table (VIOT) of ACPI 6.5, by which firmware tells a guest which
 * devices are endpoints of which virtio-iommu.
 *
 * <p>The table is a {@link org.virtio4j.wire.acpi.ViotHeader} and a list of nodes. A node is an IOMMU, such as a {@link
 * org.virtio4j.wire.acpi.ViotPciIommu}, or a set of endpoints, such as a {@link org.virtio4j.wire.acpi.ViotPciRange},
 * which points at its IOMMU.
 *
 * <p>Offsets and sizes are {@code long} and in bytes; offsets of nodes count from the beginning of the table. Every
 * multi-byte field is little-endian. All members are constants and may be used from any thread.
 */
@NullMarked
package org.virtio4j.wire.acpi;

import org.jspecify.annotations.NullMarked;
