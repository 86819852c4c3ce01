// SPDX-License-Identifier: Apache-2.0
/** Mirrors the mappings of a guest into the IOMMU of the host, for devices that the guest gets. */
module org.virtio4j.vfiohost {
    requires static org.jspecify;
    requires transitive org.virtio4j.iommu;
    requires org.virtio4j.os;
    requires org.virtio4j.wire;

    exports org.virtio4j.vfiohost;
}
