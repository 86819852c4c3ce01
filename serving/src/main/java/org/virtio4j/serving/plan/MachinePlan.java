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
 * @param board what QEMU emulates around the devices
 * @param memory its RAM
 * @param iommu its IOMMU
 * @param devices the other functions; those behind the IOMMU become its endpoints
 */
public record MachinePlan(String name, Path folder, BoardPlan board, MemoryPlan memory, IommuPlan iommu,
        List<DevicePlan> devices) {

    /** Copies what was given. */
    public MachinePlan {
        devices = List.copyOf(devices);
    }

    /**
     * A PC.
     *
     * @param name what the user calls it
     * @param folder where its sockets go
     * @param memory its RAM
     * @param iommu its IOMMU
     * @param devices the other functions; those behind the IOMMU become its endpoints
     */
    public MachinePlan(String name, Path folder, MemoryPlan memory, IommuPlan iommu, List<DevicePlan> devices) {
        this(name, folder, BoardPlan.PC, memory, iommu, devices);
    }

    /**
     * The same machine at other sockets.
     *
     * @param other where they go
     * @return a plan
     */
    public MachinePlan withFolder(Path other) {
        return new MachinePlan(name, other, board, memory, iommu, devices);
    }

    /**
     * The same machine on another board.
     *
     * @param other what QEMU emulates around the devices
     * @return a plan
     */
    public MachinePlan withBoard(BoardPlan other) {
        return new MachinePlan(name, folder, other, memory, iommu, devices);
    }
}
