// SPDX-License-Identifier: Apache-2.0

/** The driver side of virtio, as Linux behaves: for tests and for replaying recorded traffic. */
module org.virtio4j.driver {
    requires static org.jspecify;
    requires org.virtio4j.wire;
    requires transitive org.virtio4j.vmm;

    exports org.virtio4j.driver;
    exports org.virtio4j.driver.pci;
    exports org.virtio4j.driver.mmio;
    exports org.virtio4j.driver.iommu;
    exports org.virtio4j.driver.hostile;
}
