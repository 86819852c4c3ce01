// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.virtio4j.device.Features;
import org.virtio4j.iommu.domain.Limits;
import org.virtio4j.iommu.embedder.IommuCapabilities;
import org.virtio4j.iommu.embedder.IovaRange;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.iommu.request.RequestLimits;
import org.virtio4j.wire.iommu.IommuFeature;

/**
 * What a {@link VirtioIommuBuilder} was told, checked.
 *
 * @param features        what is offered
 * @param limits          what requests may ask for
 * @param serving         how queues are served
 * @param bypass          when endpoints reach memory untranslated
 * @param caps            how much a driver can have
 * @param maxEndpoints    how many endpoints there may be at a time
 * @param groups          ids that stand for one device
 * @param topology        what the configuration space describes, or null for the standard's configuration space
 * @param stallLimitNanos after how long a wait for a device is reported, in nanoseconds
 */
record IommuSettings(Features features, RequestLimits limits, ServingSettings serving, BypassSettings bypass,
        Limits caps, int maxEndpoints, List<int[]> groups, @Nullable TopologyBytes topology, long stallLimitNanos) {

    List<IovaRange> usableRanges(ReservedRegions regions) {
        return features.has(IommuFeature.MAP_UNMAP) ? UsableRanges.of(limits, regions) : List.of();
    }

    IommuCapabilities capabilities(ReservedRegions regions) {
        return new IommuCapabilities(limits.pageSizeMask(), usableRanges(regions), limits.domainStart(),
                limits.domainEnd(), true, features.has(IommuFeature.MMIO), features.has(IommuFeature.PROBE),
                bypass.decidedBy(), bypass.atBoot());
    }
}
