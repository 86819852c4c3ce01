// SPDX-License-Identifier: Apache-2.0

/** Layouts, constants and register numbers of the virtio specification and of what it is found by, and nothing else. */
module org.virtio4j.wire {
    requires static org.jspecify;

    exports org.virtio4j.wire;
    exports org.virtio4j.wire.acpi;
    exports org.virtio4j.wire.block;
    exports org.virtio4j.wire.console;
    exports org.virtio4j.wire.iommu;
    exports org.virtio4j.wire.pci;
    exports org.virtio4j.wire.tree;
    exports org.virtio4j.wire.vfiouser;
}
