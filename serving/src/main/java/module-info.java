// SPDX-License-Identifier: Apache-2.0

/** Serves the devices of a machine to a vfio-user client, each at a socket, as a configuration describes them. */
module org.virtio4j.serving {
    requires static org.jspecify;
    requires HdrHistogram;
    requires org.agrona;
    requires org.tomlj;
    requires transitive org.virtio4j.command;
    requires org.virtio4j.endpoint;
    requires transitive org.virtio4j.iommu;
    requires transitive org.virtio4j.machine;
    requires org.virtio4j.vfiouser;
    requires org.virtio4j.wire;

    exports org.virtio4j.serving;
    exports org.virtio4j.serving.config;
    exports org.virtio4j.serving.plan;
}
