// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.iommu;

/**
 * Item of the {@linkplain TopologyConfig topology}: the functions of a stretch of one PCI segment are endpoints. A
 * function with requester id {@code requester_start + n} is endpoint {@code endpoint_start + n}.
 *
 * <pre>
 *   byte 0      2           4                 6               8                12
 *        +------+-----------+-----------------+---------------+----------------+----------+
 *        | 1    | hierarchy | requester_start | requester_end | endpoint_start | reserved |
 *        +------+-----------+-----------------+---------------+----------------+----------+
 * </pre>
 */
public final class TopologyPciRange {
    /** Offset of the 2-byte number of the PCI segment. */
    public static final long HIERARCHY = 2;
    /** Offset of the 2-byte first requester id: bus, device and function. */
    public static final long REQUESTER_START = 4;
    /** Offset of the 2-byte last requester id, inclusive. */
    public static final long REQUESTER_END = 6;
    /** Offset of the 4-byte endpoint of the first requester id. */
    public static final long ENDPOINT_START = 8;

    private TopologyPciRange() {
    }
}
