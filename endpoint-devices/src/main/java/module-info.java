// SPDX-License-Identifier: Apache-2.0

/** Devices that do DMA, behind an IOMMU or not: a disk in a file, a source of entropy, and a console. */
module org.virtio4j.endpoint {
    requires static org.jspecify;
    requires org.agrona;
    requires org.virtio4j.os;
    requires org.virtio4j.wire;
    requires transitive org.virtio4j.virtqueue;

    exports org.virtio4j.endpoint;
}
