// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.replay.play;

import java.util.List;
import org.virtio4j.driver.FeatureSet;
import org.virtio4j.driver.iommu.IommuDriverOptions;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.iommu.VirtioIommuBuilder;
import org.virtio4j.iommu.embedder.IommuListener;
import org.virtio4j.iommu.embedder.ReservedRegion;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.replay.survey.IommuSurvey;
import org.virtio4j.trace.TraceHeader;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.wire.FeatureBit;
import org.virtio4j.wire.iommu.IommuFeature;

/** Makes a device, and the options of its driver, to be as those that were recorded. */
final class RecordedIommu {

    /** Offered by a device as it is built, unless it is told not to. */
    private static final int[] FEATURES = {IommuFeature.INPUT_RANGE, IommuFeature.DOMAIN_RANGE, IommuFeature.MAP_UNMAP,
        IommuFeature.PROBE, IommuFeature.MMIO, IommuFeature.BYPASS_CONFIG};

    /** Bits of the device type; those above belong to the rings, which no answer depends on. */
    private static final long DEVICE_FEATURES = (1L << 24) - 1;

    /** A device serves inside the kick; this is far more patience than it can need. */
    private static final long POLL_LIMIT = 200_000;

    private RecordedIommu() {
    }

    /** Throws IllegalArgumentException for a configuration that the device cannot have. */
    static VirtioIommu build(IommuSurvey survey, IommuListener listener) {
        TraceHeader.Iommu recorded = survey.recorded();
        VirtioIommuBuilder builder = VirtioIommu.builder()
                .pageSizeMask(recorded.pageSizeMask())
                .inputRange(recorded.inputStart(), recorded.inputEnd())
                .domainRange((int) recorded.domainStart(), (int) recorded.domainEnd())
                .probeSize((int) Math.min(recorded.probeSize(), Integer.MAX_VALUE))
                .bootBypass(recorded.bypass())
                .queueSizes(recorded.requestQueueSize(), recorded.eventQueueSize())
                .maxMappings(Math.max(1, survey.mostMappings()))
                .listener(listener);
        offer(builder, recorded);
        for (int endpoint : survey.endpoints()) {
            builder.endpoint(endpoint, reserved(survey.regionsOf(endpoint)));
        }
        return builder.build();
    }

    /** What the recorded driver accepted, as far as it counts, and what this one needs. */
    static IommuDriverOptions driverOptions(TraceHeader.Iommu recorded) {
        FeatureSet accepted = new FeatureSet(recorded.accepted(), 0).and(IommuDriverOptions.LINUX.wanted());
        return IommuDriverOptions.LINUX
                .withWanted(accepted.with(FeatureBit.VERSION_1))
                .withQueueSizes(recorded.requestQueueSize(), recorded.eventQueueSize())
                .withPollLimit(POLL_LIMIT);
    }

    /** Guest memory that the driver needs for rings, requests and answers, generously, in whole pages. */
    static long driverMemory(TraceHeader.Iommu recorded) {
        long perRequest = 256;
        long perEvent = 128;
        long rest = 1L << 20;
        long bytes = recorded.requestQueueSize() * perRequest + recorded.eventQueueSize() * perEvent
                + recorded.probeSize() + rest;
        return Math.ceilDiv(bytes, GuestMemory.PAGE_SIZE) * GuestMemory.PAGE_SIZE;
    }

    private static void offer(VirtioIommuBuilder builder, TraceHeader.Iommu recorded) {
        long able = 0;
        for (int bit : FEATURES) {
            able |= 1L << bit;
            if ((recorded.features() >>> bit & 1) == 0) {
                builder.without(bit);
            }
        }
        long beyond = recorded.accepted() & DEVICE_FEATURES & ~able;
        if (beyond != 0) {
            throw new IllegalArgumentException("accepted=" + Long.toHexString(recorded.accepted())
                    + ", but this device has no feature bit " + Long.numberOfTrailingZeros(beyond));
        }
    }

    private static ReservedRegions reserved(List<TraceHeader.Region> regions) {
        return ReservedRegions.of(regions.stream()
                .map(region -> new ReservedRegion(region.start(), region.end(), kind(region)))
                .toArray(ReservedRegion[]::new));
    }

    private static ReservedRegion.Kind kind(TraceHeader.Region region) {
        return switch (region.kind()) {
            case RESERVED -> ReservedRegion.Kind.RESERVED;
            case MSI -> ReservedRegion.Kind.MSI;
        };
    }
}
