// SPDX-License-Identifier: Apache-2.0

/** The virtio register block over memory-mapped I/O, register version 2. */
module org.virtio4j.mmio {
    requires static org.jspecify;
    requires org.virtio4j.wire;
    requires transitive org.virtio4j.virtqueue;

    exports org.virtio4j.mmio;
}
