// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.iommu;

/**
 * Item of the {@linkplain TopologyConfig topology}: a single device outside PCI is an endpoint.
 *
 * <pre>
 *   byte 0      2          4          8         16
 *        +------+----------+----------+---------+
 *        | 2    | reserved | endpoint | address |
 *        +------+----------+----------+---------+
 * </pre>
 */
public final class TopologyEndpoint {
    /** Offset of the 4-byte number of the endpoint. */
    public static final long ENDPOINT = 4;
    /** Offset of the 8-byte guest-physical address of the first byte of the device's registers. */
    public static final long ADDRESS = 8;

    private TopologyEndpoint() {
    }
}
