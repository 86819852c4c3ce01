// SPDX-License-Identifier: Apache-2.0

/** Guest memory, DMA translation, register handlers and interrupts: the machine a device sits in. */
module org.virtio4j.vmm {
    requires static org.jspecify;
    requires org.virtio4j.os;

    exports org.virtio4j.dma;
    exports org.virtio4j.dma.translate;
    exports org.virtio4j.vmm;
    exports org.virtio4j.vmm.grace;
}
