// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine;

import java.lang.foreign.MemorySegment;
import java.util.List;
import org.virtio4j.vmm.LittleEndian;
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
     * @return items of {@link #ITEM_LENGTH} bytes each; a PCI function has room for 253, a virtio-mmio window of 0x200
     *         bytes for 13
     */
    public static byte[] of(IommuScope scope) {
        List<PciRange> ranges = scope.ranges();
        List<MmioEndpoint> endpoints = scope.endpoints();
        byte[] bytes = new byte[Math.multiplyExact(ranges.size() + endpoints.size(), ITEM_LENGTH)];
        MemorySegment items = MemorySegment.ofArray(bytes);
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

    private static void putRange(MemorySegment items, long at, PciRange range) {
        LittleEndian.putU16(items, at + TopologyConfig.ITEM_TYPE, TopologyConfig.TYPE_PCI_RANGE);
        LittleEndian.putU16(items, at + TopologyPciRange.HIERARCHY, range.segment());
        LittleEndian.putU16(items, at + TopologyPciRange.REQUESTER_START, range.bdfStart());
        LittleEndian.putU16(items, at + TopologyPciRange.REQUESTER_END, range.bdfEnd());
        LittleEndian.putI32(items, at + TopologyPciRange.ENDPOINT_START, range.endpointStart());
    }

    private static void putEndpoint(MemorySegment items, long at, MmioEndpoint endpoint) {
        LittleEndian.putU16(items, at + TopologyConfig.ITEM_TYPE, TopologyConfig.TYPE_ENDPOINT);
        LittleEndian.putI32(items, at + TopologyEndpoint.ENDPOINT, endpoint.endpoint());
        LittleEndian.putI64(items, at + TopologyEndpoint.ADDRESS, endpoint.base().address());
    }
}
