// SPDX-License-Identifier: Apache-2.0

/** Native memory, files, sockets and VFIO: the only module that makes native calls, and nothing else's business. */
@SuppressWarnings("module") // the modules that get the packages are built later
module org.virtio4j.os {
    requires static org.jspecify;

    exports org.virtio4j.os to
            org.virtio4j.endpoint, org.virtio4j.iommu, org.virtio4j.vfiohost, org.virtio4j.vfiouser, org.virtio4j.vmm;
    exports org.virtio4j.os.file to org.virtio4j.endpoint;
    exports org.virtio4j.os.memory to org.virtio4j.iommu, org.virtio4j.vfiouser, org.virtio4j.vmm;
    exports org.virtio4j.os.socket to org.virtio4j.vfiouser;
    exports org.virtio4j.os.vfio to org.virtio4j.vfiohost;
}
