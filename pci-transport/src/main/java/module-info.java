// SPDX-License-Identifier: Apache-2.0

/** A virtio device as a modern PCI function. */
module org.virtio4j.pci {
    requires static org.jspecify;
    requires org.virtio4j.wire;
    requires transitive org.virtio4j.virtqueue;

    exports org.virtio4j.pci;
}
