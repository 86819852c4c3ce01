// SPDX-License-Identifier: Apache-2.0

/** The virtio-iommu device: requests, fault events and the off-heap mapping table behind them. */
module org.virtio4j.iommu {
    requires static org.jspecify;
    requires org.agrona;
    requires org.virtio4j.os;
    requires org.virtio4j.wire;
    requires transitive org.virtio4j.virtqueue;

    exports org.virtio4j.iommu;
    exports org.virtio4j.iommu.embedder;
}
