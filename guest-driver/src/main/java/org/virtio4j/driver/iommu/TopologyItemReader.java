// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver.iommu;

import org.jspecify.annotations.Nullable;
import org.virtio4j.driver.DriverTransport;
import org.virtio4j.wire.iommu.TopologyConfig;
import org.virtio4j.wire.iommu.TopologyEndpoint;
import org.virtio4j.wire.iommu.TopologyPciRange;

/** Reads single items of a topology out of the configuration space. */
final class TopologyItemReader {

    private static final long MOST_ENDPOINT = 0xffff_ffffL;

    private TopologyItemReader() {
    }

    /** The item at an offset; null if its type is unknown, or if it contradicts itself. */
    static @Nullable TopologyItem read(DriverTransport transport, long at) {
        return switch ((int) transport.readConfig(at + TopologyConfig.ITEM_TYPE, Short.BYTES)) {
            case TopologyConfig.TYPE_PCI_RANGE -> readPci(transport, at);
            case TopologyConfig.TYPE_ENDPOINT -> new TopologyItem.PlatformDevice(
                    transport.readConfig(at + TopologyEndpoint.ADDRESS, Long.BYTES),
                    (int) transport.readConfig(at + TopologyEndpoint.ENDPOINT, Integer.BYTES));
            default -> null;
        };
    }

    private static @Nullable TopologyItem readPci(DriverTransport transport, long at) {
        int segment = (int) transport.readConfig(at + TopologyPciRange.HIERARCHY, Short.BYTES);
        int first = (int) transport.readConfig(at + TopologyPciRange.REQUESTER_START, Short.BYTES);
        int last = (int) transport.readConfig(at + TopologyPciRange.REQUESTER_END, Short.BYTES);
        long endpoint = transport.readConfig(at + TopologyPciRange.ENDPOINT_START, Integer.BYTES);
        boolean sound = first <= last && endpoint + (last - first) <= MOST_ENDPOINT;
        return sound ? new TopologyItem.PciFunctions(segment, first, last, (int) endpoint) : null;
    }
}
