// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.replay.play;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.replay.survey.IommuSurvey;
import org.virtio4j.vmm.GuestMemory;

/** The devices behind one IOMMU, found by their endpoint. */
final class Endpoints implements AutoCloseable {

    private final int[] ids;
    private final EndpointDma[] devices;

    Endpoints(IommuSurvey survey, VirtioIommu iommu, GuestMemory memory) {
        ids = survey.endpoints().stream().mapToInt(Integer::intValue).toArray();
        devices = new EndpointDma[ids.length];
        for (int i = 0; i < ids.length; i++) {
            devices[i] = new EndpointDma(ids[i], DmaSpace.of(memory, iommu.translator(ids[i])),
                    survey.regionsOf(ids[i]));
        }
    }

    @Nullable EndpointDma find(int endpoint) {
        int place = Arrays.binarySearch(ids, endpoint);
        return place < 0 ? null : devices[place];
    }

    @Override
    public void close() {
        for (EndpointDma device : devices) {
            device.close();
        }
    }
}
