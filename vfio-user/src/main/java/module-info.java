// SPDX-License-Identifier: Apache-2.0

/** PCI functions for another process, over the vfio-user protocol. */
module org.virtio4j.vfiouser {
    requires static org.jspecify;
    requires org.virtio4j.os;
    requires org.virtio4j.wire;
    requires transitive org.virtio4j.pci;

    exports org.virtio4j.vfiouser;
}
