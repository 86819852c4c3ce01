// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.acpi;

/**
 * Node of a VIOT for a virtio-iommu that is a PCI function (ACPI 6.5, virtio-iommu Based on virtio-pci Node).
 *
 * <pre>
 *   byte 0        1          2        4         6     8          16
 *        +--------+----------+--------+---------+-----+----------+
 *        | type 3 | reserved | length | segment | BDF | reserved |
 *        +--------+----------+--------+---------+-----+----------+
 * </pre>
 */
public final class ViotPciIommu {
    /** Offset of the byte {@link ViotHeader#VIRTIO_PCI_IOMMU}. */
    public static final long TYPE = 0;
    /** Offset of the 2-byte length of the node in bytes. */
    public static final long LENGTH = 2;
    /** Offset of the 2-byte PCI segment. */
    public static final long SEGMENT = 4;
    /** Offset of the 2-byte function: bus in bits 15..8, device in 7..3, function in 2..0. */
    public static final long BDF = 6;
    /** Bytes of the node. */
    public static final long SIZE = 16;

    private ViotPciIommu() {
    }
}
