// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.table;

import java.lang.foreign.Arena;

/** Memory for the tables of one test. */
final class TableMemory implements AutoCloseable {

    private final Arena arena = Arena.ofShared();
    final NodeSpace space;

    private TableMemory(long bytes) {
        space = new NodeSpace(arena.allocate(bytes, 4096));
    }

    /** Enough for a number of mappings whatever happens. */
    static TableMemory forMappings(long mappings) {
        return new TableMemory(NodeSpace.bytesFor(mappings, 8));
    }

    static TableMemory ofBytes(long bytes) {
        return new TableMemory(bytes);
    }

    MappingTree table() {
        return new MappingTree(space);
    }

    @Override
    public void close() {
        arena.close();
    }
}
