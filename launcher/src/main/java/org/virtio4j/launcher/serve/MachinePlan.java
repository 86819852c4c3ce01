// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher.serve;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.virtio4j.iommu.VirtioIommuBuilder;
import org.virtio4j.machine.PciAddress;

/**
 * What one guest is to have. Good for one machine, for the builder is used up by it.
 *
 * @param name what the user calls it
 * @param folder where its sockets go; made for the machine alone if it is not there
 * @param memoryMebibytes its RAM, which QEMU must be told
 * @param memoryFile the file that is its RAM, if it is not handed over as a descriptor
 * @param sealedMemory whether RAM that is not sealed against shrinking is refused
 * @param iommuAddress where its IOMMU lies
 * @param iommu set up but for its endpoints
 * @param iommuPolling how the thread that polls it idles, if it is polled
 * @param devices the other functions; those behind the IOMMU become its endpoints
 */
public record MachinePlan(String name, Path folder, int memoryMebibytes, Optional<Path> memoryFile,
        boolean sealedMemory, PciAddress iommuAddress, VirtioIommuBuilder iommu,
        Optional<Idling> iommuPolling, List<DevicePlan> devices) {

    /** Copies what was given. */
    public MachinePlan {
        devices = List.copyOf(devices);
    }

    /**
     * A guest whose IOMMU is notified, and whose RAM need not be sealed.
     *
     * @param name what the user calls it
     * @param folder where its sockets go
     * @param memoryMebibytes its RAM
     * @param memoryFile the file that is its RAM, if it is not handed over as a descriptor
     * @param iommuAddress where its IOMMU lies
     * @param iommu set up but for its endpoints
     * @param devices the other functions
     */
    public MachinePlan(String name, Path folder, int memoryMebibytes, Optional<Path> memoryFile,
            PciAddress iommuAddress, VirtioIommuBuilder iommu, List<DevicePlan> devices) {
        this(name, folder, memoryMebibytes, memoryFile, false, iommuAddress, iommu, Optional.empty(), devices);
    }
}
