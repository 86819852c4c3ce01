// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guide;

// guide: begin
import java.io.IOException;
import java.util.function.Consumer;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.vfiohost.VfioContainer;
import org.virtio4j.vfiohost.VfioDevice;
import org.virtio4j.vfiohost.VfioMirror;
import org.virtio4j.vmm.GuestMemory;

/** A device of the host, behind the IOMMU of a guest. */
final class PassedThrough implements AutoCloseable {

    private final VfioContainer container = VfioContainer.open();
    private final VfioDevice device;
    private final VfioMirror mirror;
    private final VirtioIommu iommu;

    PassedThrough(String address, int endpoint, GuestMemory memory) throws IOException {
        device = container.device(address);                              // 0000:3b:00.0, bound to vfio-pci
        mirror = VfioMirror.of(memory, container);
        iommu = VirtioIommu.builder()
                .endpoint(endpoint, container.reserved(ReservedRegions.X86_MSI))
                .pageSizeMask(container.pageSizeMask())
                .mappingListener(mirror, endpoint)
                .build();
    }

    /** From the exit handler; the guest's driver lets the device answer and do DMA by writing here. */
    void writeConfig(int register, int width, long value) throws IOException {
        device.writeConfig(register, width, value);
    }

    void writeBar(int bar, long offset, int width, long value) throws IOException {
        device.writeBar(bar, offset, width, value);
    }

    /** Tells why DMA does not reach what the guest's driver wanted to map. */
    void report(Consumer<String> log) {
        mirror.lastFailure().ifPresent(failure -> log.accept(failure.toString()));
    }

    /** Stands before the device and others; put it behind a function or a window. */
    VirtioIommu iommu() {
        return iommu;
    }

    /** In this order; the IOMMU and the guest's memory come after it. */
    @Override
    public void close() {
        iommu.leave(mirror);
        mirror.close();
        container.close();
    }
}
// guide: end
