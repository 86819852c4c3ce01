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
    /** Signature of the table. */
    public static final String SIGNATURE = "VIOT";
    /** Revision of the table. */
    public static final int REVISION = 0;
    /** Offset of the 2-byte number of nodes. */
    public static final long NODE_COUNT = 36;
    /** Offset of the 2-byte offset of the first node. */
    public static final long NODE_OFFSET = 38;
    /** Bytes before the first node. */
    public static final long SIZE = 48;

    /** First byte of a node: {@link ViotPciRange}. */
    public static final int PCI_RANGE = 1;
    /** First byte of a node: {@link ViotMmioEndpoint}. */
    public static final int MMIO_ENDPOINT = 2;
    /** First byte of a node: {@link ViotPciIommu}. */
    public static final int VIRTIO_PCI_IOMMU = 3;
    /** First byte of a node: {@link ViotMmioIommu}. */
    public static final int VIRTIO_MMIO_IOMMU = 4;

    private ViotHeader() {
    }
}
