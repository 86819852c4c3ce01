// SPDX-License-Identifier: Apache-2.0

/** Guest memory, DMA translation, register handlers and interrupts: the machine a device sits in. */
@SuppressWarnings("module") // the one that gets the native calls is built later
module org.virtio4j.vmm {
    requires static org.jspecify;

    exports org.virtio4j.vmm;
    exports org.virtio4j.vmm.os to org.virtio4j.endpoint, org.virtio4j.iommu, org.virtio4j.vfiouser;
    exports org.virtio4j.vmm.unchecked to org.virtio4j.iommu;
}
