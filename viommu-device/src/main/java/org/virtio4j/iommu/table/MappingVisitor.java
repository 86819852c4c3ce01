// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.table;

/** Takes the mappings of a walk one by one, on the walking thread. It must not change the table. */
public interface MappingVisitor {

    /**
     * Takes the next mapping in ascending order.
     *
     * @param virtStart first I/O-virtual address
     * @param virtEnd   last I/O-virtual address, inclusive
     * @param physStart guest-physical address that {@code virtStart} means
     * @param flags     as the MAP request gave them: READ 1, WRITE 2, MMIO 4
     * @return whether the walk goes on
     */
    boolean mapping(long virtStart, long virtEnd, long physStart, int flags);
}
