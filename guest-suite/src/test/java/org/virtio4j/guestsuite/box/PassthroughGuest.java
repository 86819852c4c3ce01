// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite.box;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.driver.GuestRam;
import org.virtio4j.driver.StartResult;
import org.virtio4j.driver.iommu.IommuDriver;
import org.virtio4j.driver.mmio.MmioDriverTransport;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.mmio.VirtioMmioDevice;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.vmm.MemoryRegion;
import org.virtio4j.wire.iommu.MapRequest;

/** A guest with an IOMMU and its driver, and memory in two regions. The devices are the box's. */
final class PassthroughGuest implements AutoCloseable {

    static final int A = 0x28;
    static final int B = 0x30;
    static final int READ = MapRequest.FLAG_READ;
    static final int BOTH = MapRequest.FLAG_READ | MapRequest.FLAG_WRITE;

    /** Where the second region of memory begins. */
    static final long MIDDLE = 32L << 20;

    private static final long DRIVER_BYTES = 4L << 20;

    private final GuestMemory memory = new GuestMemory();
    private final VirtioIommu iommu;
    private final VirtioMmioDevice window;
    private final IommuDriver driver;
    private int status;

    PassthroughGuest(ReservedRegions ofA, ReservedRegions ofB) {
        memory.addAnonymous(0, MIDDLE);
        memory.addAnonymous(MIDDLE, MIDDLE);
        iommu = VirtioIommu.builder().endpoint(A, ofA).endpoint(B, ofB).build();
        window = VirtioMmioDevice.of(iommu, DmaSpace.identity(memory), level -> { });
        driver = new IommuDriver(MmioDriverTransport.of(window), new GuestRam(memory, 0, DRIVER_BYTES),
                result -> status = result.status());
        if (driver.start() != StartResult.OK) {
            throw new IllegalStateException("the driver did not start");
        }
    }

    GuestMemory memory() {
        return memory;
    }

    VirtioIommu iommu() {
        return iommu;
    }

    /** The status of an ATTACH. */
    int attach(int domain, int endpoint) {
        driver.attach(1, domain, endpoint, 0);
        return status;
    }

    /** The status of a MAP. */
    int map(int domain, long iova, long bytes, long gpa, int flags) {
        driver.map(1, domain, iova, iova + bytes - 1, gpa, flags);
        driver.sync();
        return status;
    }

    /** The status of an UNMAP. */
    int unmap(int domain, long iova, long last) {
        driver.unmap(1, domain, iova, last);
        driver.sync();
        return status;
    }

    /** Fills as much memory as a device copies, from a number up. */
    void fill(long gpa, int first) {
        for (int i = 0; i < LessonDevice.BYTES; i++) {
            MemoryRegion region = region(gpa + i);
            region.segment().set(ValueLayout.JAVA_BYTE, gpa + i - region.start(), (byte) (first + i));
        }
    }

    /** Whether memory is as {@link #fill} would have left it. */
    boolean isFilled(long gpa, int first) {
        for (int i = 0; i < LessonDevice.BYTES; i++) {
            MemoryRegion region = region(gpa + i);
            MemorySegment bytes = region.segment();
            if (bytes.get(ValueLayout.JAVA_BYTE, gpa + i - region.start()) != (byte) (first + i)) {
                return false;
            }
        }
        return true;
    }

    private MemoryRegion region(long gpa) {
        return memory.map().region(gpa < MIDDLE ? 0 : 1);
    }

    @Override
    public void close() {
        window.close();
        iommu.close();
        memory.close();
    }
}
