// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.acpi;

/**
 * Node of a VIOT for a device that is not on PCI and is an endpoint of an IOMMU (ACPI 6.5, Single MMIO Endpoint Node).
 *
 * <pre>
 *       byte 0       1          2           4
 *    0 +-----------+----------+-----------+--------------+
 *      | type 2    | reserved | length    | endpoint     |
 *    8 +-----------+----------+-----------+--------------+
 *      | base address                                    |
 *   16 +----------------------+-----------+--------------+
 *      | output node          | reserved                 |
 *   24 +----------------------+--------------------------+
 * </pre>
 */
public final class ViotMmioEndpoint {
    /** Offset of the byte {@link ViotHeader#MMIO_ENDPOINT}. */
    public static final long TYPE = 0;
    /** Offset of the 2-byte length of the node in bytes. */
    public static final long LENGTH = 2;
    /** Offset of the 4-byte identifier of the endpoint. */
    public static final long ENDPOINT = 4;
    /** Offset of the 8-byte guest-physical address of the device's first byte. */
    public static final long BASE = 8;
    /** Offset of the 2-byte offset of the IOMMU's node. */
    public static final long OUTPUT_NODE = 16;
    /** Bytes of the node. */
    public static final long SIZE = 24;

    private ViotMmioEndpoint() {
    }
}
