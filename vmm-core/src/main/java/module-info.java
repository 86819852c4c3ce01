// SPDX-License-Identifier: Apache-2.0

/** Guest memory, DMA translation, register handlers and interrupts: the machine a device sits in. */
module org.virtio4j.vmm {
    requires static org.jspecify;

    exports org.virtio4j.vmm;
}
