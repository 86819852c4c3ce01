// SPDX-License-Identifier: Apache-2.0

/** Rings, descriptor chains and the one device life cycle that every transport drives. */
@SuppressWarnings("module") // the transports that drive a life cycle are built later
module org.virtio4j.virtqueue {
    requires static org.jspecify;
    requires org.virtio4j.wire;
    requires transitive org.virtio4j.vmm;

    exports org.virtio4j.device;
    exports org.virtio4j.device.transport to org.virtio4j.mmio, org.virtio4j.pci;
    exports org.virtio4j.queue;
}
