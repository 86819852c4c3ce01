// SPDX-License-Identifier: Apache-2.0

/** Plays recorded virtio-iommu traffic back and compares, and records the traffic of an IOMMU. */
module org.virtio4j.replay {
    requires static org.jspecify;
    requires java.management;
    requires jdk.management;
    requires transitive org.virtio4j.command;
    requires org.virtio4j.driver;
    requires transitive org.virtio4j.iommu;
    requires org.virtio4j.mmio;
    requires org.virtio4j.pci;
    requires transitive org.virtio4j.trace;
    requires org.virtio4j.wire;

    exports org.virtio4j.replay;
    exports org.virtio4j.replay.input;
    exports org.virtio4j.replay.record;
    exports org.virtio4j.replay.result;
}
