// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.replay.play;

import java.util.ArrayList;
import java.util.List;
import org.virtio4j.driver.GuestRam;
import org.virtio4j.replay.input.ReplayTransport;
import org.virtio4j.replay.survey.IommuSurvey;
import org.virtio4j.replay.survey.TraceSurvey;
import org.virtio4j.vmm.GuestMemory;

/** The recorded machine as far as its IOMMUs go: RAM for their drivers, and one {@link ReplayedIommu} for each. */
public final class ReplayedMachine implements AutoCloseable {

    /** Far from 0 and above 4 GiB, so that an address that was cut off or never set leads nowhere. */
    private static final long RAM_START = 0x1_4000_0000L;

    private final ReplayTransport transport;
    private final GuestMemory memory;
    private final List<ReplayedIommu> iommus = new ArrayList<>();
    private final LiveMappings mappings = new LiveMappings();

    /** Throws IllegalArgumentException for a configuration that the device cannot have. */
    public ReplayedMachine(ReplayTransport transport, TraceSurvey survey, Mismatches mismatches, PlayingMeter meter) {
        this.transport = transport;
        long size = 0;
        for (IommuSurvey iommu : survey.iommus()) {
            size += RecordedIommu.driverMemory(iommu.recorded());
        }
        memory = GuestMemory.anonymous(RAM_START, size);
        ReplayedIommu.Shared shared = new ReplayedIommu.Shared(memory, mappings, mismatches, meter);
        long start = RAM_START;
        try {
            for (IommuSurvey iommu : survey.iommus()) {
                long own = RecordedIommu.driverMemory(iommu.recorded());
                iommus.add(new ReplayedIommu(transport, iommu, new GuestRam(memory, start, own), shared));
                start += own;
            }
        } catch (IllegalArgumentException impossible) {
            close();
            throw impossible;
        }
    }

    ReplayTransport transport() {
        return transport;
    }

    ReplayedIommu iommu(int index) {
        return iommus.get(index);
    }

    /** How many mappings there were at most. */
    long peakMappings() {
        return mappings.peak();
    }

    int count() {
        return iommus.size();
    }

    @Override
    public void close() {
        iommus.forEach(ReplayedIommu::close);
        memory.close();
    }
}
