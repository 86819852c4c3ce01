// SPDX-License-Identifier: Apache-2.0

/** Reads and writes recorded virtio-iommu traffic. */
module org.virtio4j.trace {
    requires static org.jspecify;

    exports org.virtio4j.trace;
}
