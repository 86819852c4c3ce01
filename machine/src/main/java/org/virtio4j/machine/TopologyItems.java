// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.virtio4j.wire.iommu.TopologyConfig;
import org.virtio4j.wire.iommu.TopologyEndpoint;
import org.virtio4j.wire.iommu.TopologyPciRange;

/**
 * What an IOMMU's own configuration space shows of its endpoints ({@link TopologyConfig}), for guests that read it
 * there. The bytes go to {@code VirtioIommuBuilder.topology}, whose page says why stock guests must not see them.
 *
 * <p>A range that covers the IOMMU's own function is shown as it is. A driver knows where it has found the IOMMU, and
 * that this function is not an endpoint.
 */
public final class TopologyItems {

    /** Bytes of each item. */
    public static final int ITEM_LENGTH = (int) TopologyConfig.ITEM_SIZE;

    private TopologyItems() {
    }

    /**
     * The items of one IOMMU: its ranges, then its other endpoints, in the order of the scope.
     *
     * @param scope one of {@link Topology#scopes}, whose ranges cover no other IOMMU
     * @return items of {@link #ITEM_LENGTH} bytes each; a PCI function has room for 253, a virtio-mmio window of the
     *         usual size for 13
     */
    public static byte[] of(IommuScope scope) {
        List<PciRange> ranges = scope.ranges();
        List<MmioEndpoint> endpoints = scope.endpoints();
        byte[] bytes = new byte[Math.multiplyExact(ranges.size() + endpoints.size(), ITEM_LENGTH)];
        ByteBuffer items = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        long at = 0;
        for (PciRange range : ranges) {
            putRange(items, at, range);
            at += ITEM_LENGTH;
        }
        for (MmioEndpoint endpoint : endpoints) {
            putEndpoint(items, at, endpoint);
            at += ITEM_LENGTH;
        }
        return bytes;
    }

    private static void putRange(ByteBuffer items, long at, PciRange range) {
        put2(items, at + TopologyConfig.ITEM_TYPE, TopologyConfig.TYPE_PCI_RANGE);
        put2(items, at + TopologyPciRange.HIERARCHY, range.segment());
        put2(items, at + TopologyPciRange.REQUESTER_START, range.bdfStart());
        put2(items, at + TopologyPciRange.REQUESTER_END, range.bdfEnd());
        items.putInt((int) (at + TopologyPciRange.ENDPOINT_START), range.endpointStart());
    }

    private static void putEndpoint(ByteBuffer items, long at, MmioEndpoint endpoint) {
        put2(items, at + TopologyConfig.ITEM_TYPE, TopologyConfig.TYPE_ENDPOINT);
        items.putInt((int) (at + TopologyEndpoint.ENDPOINT), endpoint.endpoint());
        items.putLong((int) (at + TopologyEndpoint.ADDRESS), endpoint.base().address());
    }

    private static void put2(ByteBuffer items, long at, int value) {
        items.putShort((int) at, (short) value);
    }
}
