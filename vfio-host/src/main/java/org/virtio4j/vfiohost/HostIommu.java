// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiohost;

/** One address space of the host's IOMMU, with the devices that see it. */
interface HostIommu {

    /** A bit for each size of pages, in bytes; the same until it is closed, or fewer when a device is added. */
    long pageSizeMask();

    /** Maps memory of this process, and pins it; returns 0 or an error number. */
    int map(long iova, long host, long size, boolean readable, boolean writable);

    /** Removes all mappings inside a range; returns how many bytes were mapped there, or an error number, negative. */
    long unmap(long iova, long size);

    /** Keeps all devices from memory by other means than unmapping; returns what did not succeed, or nothing. */
    String cutOff();
}
