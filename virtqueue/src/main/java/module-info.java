// SPDX-License-Identifier: Apache-2.0

/** Rings, descriptor chains and the one device life cycle that every transport drives. */
module org.virtio4j.virtqueue {
    requires static org.jspecify;
    requires org.virtio4j.wire;
    requires transitive org.virtio4j.vmm;

    exports org.virtio4j.device;
    exports org.virtio4j.queue;
}
