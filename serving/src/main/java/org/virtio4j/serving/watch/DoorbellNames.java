// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving.watch;

import java.util.Map;
import java.util.Optional;
import org.virtio4j.iommu.embedder.ReservedRegion;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.vmm.GuestMemory;

/** How a configuration names the regions that hold the interrupt controllers' doorbells, on QEMU's boards. */
public final class DoorbellNames {

    /** The key of a configuration that these are values of. */
    public static final String KEY = "reserved";

    private static final Map<String, ReservedRegion> REGIONS = Map.of(
            "msi:x86", first(ReservedRegions.X86_MSI), "msi:gicv2m", first(ReservedRegions.QEMU_VIRT_GICV2M),
            "msi:its", first(ReservedRegions.QEMU_VIRT_ITS));

    private DoorbellNames() {
    }

    /** The region of a name, if it is one. */
    public static Optional<ReservedRegion> region(String name) {
        return Optional.ofNullable(REGIONS.get(name));
    }

    /** The name of the region that holds a doorbell, or the words for the page where it lies. */
    public static String nameOf(long doorbell) {
        return REGIONS.entrySet().stream().filter(named -> holds(named.getValue(), doorbell)).map(Map.Entry::getKey)
                .findFirst().orElseGet(() -> "msi:" + Long.toHexString(doorbell & -GuestMemory.PAGE_SIZE) + "-"
                        + Long.toHexString(doorbell | GuestMemory.PAGE_SIZE - 1));
    }

    private static boolean holds(ReservedRegion region, long address) {
        return Long.compareUnsigned(region.start(), address) <= 0 && Long.compareUnsigned(address, region.end()) <= 0;
    }

    private static ReservedRegion first(ReservedRegions regions) {
        return regions.list().getFirst();
    }
}
