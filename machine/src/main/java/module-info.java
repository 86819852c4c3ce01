// SPDX-License-Identifier: Apache-2.0
/** Puts the parts of one guest together. */
module org.virtio4j.machine {
    requires static org.jspecify;
    requires transitive org.virtio4j.mmio;
    requires transitive org.virtio4j.pci;
    requires org.virtio4j.wire;

    exports org.virtio4j.machine;
    exports org.virtio4j.machine.acpi;
    exports org.virtio4j.machine.tree;
}
