// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.table;

/** The reference must know the examples as well as the table that is measured against it. */
final class ReferenceTableTest extends MappingTableTests {

    @Override
    MappingTable table() {
        return new ReferenceTable();
    }
}
