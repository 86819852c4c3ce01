// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.acpi;

/**
 * Node of a VIOT for PCI functions in a row that are endpoints of one IOMMU (ACPI 6.5, PCI Range Node). The function
 * {@code BDF_START + n} is endpoint {@code ENDPOINT_START + n}.
 *
 * <pre>
 *       byte 0       1          2           4             6
 *    0 +-----------+----------+-----------+-------------+---------+
 *      | type 1    | reserved | length    | endpoint start        |
 *    8 +-----------+----------+-----------+-------------+---------+
 *      | segment start        | seg. end  | BDF start   | BDF end |
 *   16 +----------------------+-----------+-------------+---------+
 *      | output node          | reserved                          |
 *   24 +----------------------+-----------------------------------+
 * </pre>
 */
public final class ViotPciRange {
    /** Offset of the byte {@link ViotHeader#PCI_RANGE}. */
    public static final long TYPE = 0;
    /** Offset of the 2-byte length of the node in bytes. */
    public static final long LENGTH = 2;
    /** Offset of the 4-byte identifier of the first endpoint. */
    public static final long ENDPOINT_START = 4;
    /** Offset of the 2-byte first PCI segment. */
    public static final long SEGMENT_START = 8;
    /** Offset of the 2-byte last PCI segment, inclusive. */
    public static final long SEGMENT_END = 10;
    /** Offset of the 2-byte first function: bus in bits 15..8, device in 7..3, function in 2..0. */
    public static final long BDF_START = 12;
    /** Offset of the 2-byte last function, inclusive. */
    public static final long BDF_END = 14;
    /** Offset of the 2-byte offset of the IOMMU's node. */
    public static final long OUTPUT_NODE = 16;
    /** Bytes of the node. */
    public static final long SIZE = 24;

    private ViotPciRange() {
    }
}
