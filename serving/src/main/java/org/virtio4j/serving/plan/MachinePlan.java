// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving.plan;

import java.nio.file.Path;
import java.util.List;

/**
 * What one machine is to have. Immutable: it can be served any number of times, and at the same time in several folders
 * as far as its devices share no file.
 *
 * @param name what the user calls it
 * @param folder where its sockets go; made when it is served, and deleted after it, if it is not there
 * @param memory its RAM
 * @param iommu its IOMMU
 * @param devices the other functions; those behind the IOMMU become its endpoints
 */
public record MachinePlan(String name, Path folder, MemoryPlan memory, IommuPlan iommu, List<DevicePlan> devices) {

    /** Copies what was given. */
    public MachinePlan {
        devices = List.copyOf(devices);
    }

    /**
     * The same machine at other sockets.
     *
     * @param other where they go
     * @return a plan
     */
    public MachinePlan withFolder(Path other) {
        return new MachinePlan(name, other, memory, iommu, devices);
    }
}
