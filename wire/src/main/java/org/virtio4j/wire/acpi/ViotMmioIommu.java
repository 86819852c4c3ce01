// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.acpi;

/**
 * Node of a VIOT for a virtio-iommu over MMIO (ACPI 6.5, virtio-iommu Based on virtio-mmio Node).
 *
 * <pre>
 *   byte 0        1          2        4          8              16
 *        +--------+----------+--------+----------+--------------+
 *        | type 4 | reserved | length | reserved | base address |
 *        +--------+----------+--------+----------+--------------+
 * </pre>
 */
public final class ViotMmioIommu {
    /** Offset of the byte {@link ViotHeader#VIRTIO_MMIO_IOMMU}. */
    public static final long TYPE = 0;
    /** Offset of the 2-byte length of the node in bytes. */
    public static final long LENGTH = 2;
    /** Offset of the 8-byte guest-physical address of the window's first byte. */
    public static final long BASE = 8;
    /** Bytes of the node. */
    public static final long SIZE = 16;

    private ViotMmioIommu() {
    }
}
