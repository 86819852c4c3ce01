// SPDX-License-Identifier: Apache-2.0

/** The {@code virtio4j} command. */
module org.virtio4j.launcher {
    requires static org.jspecify;
    requires java.management;
    requires jdk.management;
    requires org.agrona;
    requires org.virtio4j.driver;
    requires org.virtio4j.endpoint;
    requires org.virtio4j.iommu;
    requires org.virtio4j.machine;
    requires org.virtio4j.mmio;
    requires org.virtio4j.pci;
    requires org.virtio4j.trace;
    requires org.virtio4j.vfiouser;
    requires org.virtio4j.virtqueue;
    requires org.virtio4j.vmm;
    requires org.virtio4j.wire;
}
