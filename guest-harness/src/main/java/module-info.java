// SPDX-License-Identifier: Apache-2.0

/** Fetches, builds and boots guests under QEMU, and listens to them. */
module org.virtio4j.harness {
    requires static org.jspecify;
    requires com.fasterxml.jackson.core;
    requires org.apache.commons.compress;
    requires org.tukaani.xz;
    requires org.virtio4j.endpoint;
    requires transitive org.virtio4j.replay;
    requires transitive org.virtio4j.serving;

    exports org.virtio4j.harness;
    exports org.virtio4j.harness.options;
    exports org.virtio4j.harness.qemu;
}
