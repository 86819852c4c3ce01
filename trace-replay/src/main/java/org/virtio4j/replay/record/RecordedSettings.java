// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.replay.record;

import java.util.List;
import java.util.Map;
import org.virtio4j.device.Features;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.iommu.embedder.ReservedRegion;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.trace.TraceHeader;
import org.virtio4j.wire.FeatureBit;
import org.virtio4j.wire.iommu.IommuConfig;

/**
 * How a recorded IOMMU is set up, as a driver would find it before it changes anything.
 *
 * @param pageSizeMask field of the configuration
 * @param inputStart field of the configuration
 * @param inputEnd field of the configuration, inclusive
 * @param domainStart field of the configuration
 * @param domainEnd field of the configuration, inclusive
 * @param probeSize field of the configuration
 * @param bypass field of the configuration
 * @param features offered
 * @param queueSizes the largest: of the request queue and the event queue
 * @param endpoints those behind it
 */
record RecordedSettings(long pageSizeMask, long inputStart, long inputEnd, long domainStart, long domainEnd,
        long probeSize, boolean bypass, long features, List<Integer> queueSizes,
        List<TraceHeader.Endpoint> endpoints) {

    static RecordedSettings of(VirtioIommu iommu, Map<Integer, ReservedRegions> endpoints) {
        Features features = iommu.offered().with(FeatureBit.VERSION_1).with(FeatureBit.INDIRECT_DESC)
                .with(FeatureBit.EVENT_IDX).with(FeatureBit.RING_RESET);
        return new RecordedSettings(
                iommu.readConfig((int) IommuConfig.PAGE_SIZE_MASK, Long.BYTES),
                iommu.readConfig((int) IommuConfig.INPUT_START, Long.BYTES),
                iommu.readConfig((int) IommuConfig.INPUT_END, Long.BYTES),
                iommu.readConfig((int) IommuConfig.DOMAIN_START, Integer.BYTES),
                iommu.readConfig((int) IommuConfig.DOMAIN_END, Integer.BYTES),
                iommu.readConfig((int) IommuConfig.PROBE_SIZE, Integer.BYTES),
                iommu.readConfig((int) IommuConfig.BYPASS, Byte.BYTES) == 1,
                features.low(), iommu.info().queueSizes(),
                endpoints.entrySet().stream().map(entry -> endpoint(entry.getKey(), entry.getValue())).toList());
    }

    /** A queue that the driver did not enable has its largest size. */
    TraceHeader.Iommu header(long accepted, int requestQueueSize, int eventQueueSize) {
        return new TraceHeader.Iommu(pageSizeMask, inputStart, inputEnd, domainStart, domainEnd, probeSize, bypass,
                features | accepted, accepted, requestQueueSize == 0 ? queueSizes.get(0) : requestQueueSize,
                eventQueueSize == 0 ? queueSizes.get(1) : eventQueueSize, endpoints, null);
    }

    private static TraceHeader.Endpoint endpoint(int id, ReservedRegions regions) {
        return new TraceHeader.Endpoint(id, regions.list().stream().map(RecordedSettings::region).toList());
    }

    private static TraceHeader.Region region(ReservedRegion region) {
        return new TraceHeader.Region(kind(region.kind()), region.start(), region.end());
    }

    private static TraceHeader.RegionKind kind(ReservedRegion.Kind kind) {
        return switch (kind) {
            case RESERVED -> TraceHeader.RegionKind.RESERVED;
            case MSI -> TraceHeader.RegionKind.MSI;
        };
    }
}
