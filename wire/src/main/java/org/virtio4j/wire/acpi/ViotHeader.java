// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.acpi;

/**
 * Beginning of a VIOT (ACPI 6.5, Virtual I/O Translation Table).
 *
 * <pre>
 *   byte 0              36           38            40         48
 *        +--------------+------------+-------------+----------+-- ...
 *        | ACPI header  | node count | node offset | reserved | nodes
 *        +--------------+------------+-------------+----------+-- ...
 * </pre>
 */
public final class ViotHeader {
    /** Bytes of the header that all ACPI tables have. The code that publishes the table writes it. */
    public static final long ACPI_HEADER_SIZE = 36;
    /** Offset of the 2-byte number of nodes. */
    public static final long NODE_COUNT = 36;
    /** Offset of the 2-byte offset of the first node. */
    public static final long NODE_OFFSET = 38;
    /** Bytes before the first node. */
    public static final long SIZE = 48;

    /** First byte of a node: {@link ViotPciRange}. */
    public static final int PCI_RANGE = 1;
    /** First byte of a node: {@link ViotPciIommu}. */
    public static final int VIRTIO_PCI_IOMMU = 3;

    private ViotHeader() {
    }
}
