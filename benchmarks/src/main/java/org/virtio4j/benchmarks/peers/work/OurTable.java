// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.peers.work;

import org.virtio4j.dma.translate.ExtentSink;
import org.virtio4j.iommu.table.MappingTable;
import org.virtio4j.iommu.table.MappingTree;
import org.virtio4j.iommu.table.MappingVisitor;
import org.virtio4j.iommu.table.NodeSpace;
import org.virtio4j.vmm.HostMemory;

/** The table of the device, with no translation cache before it. */
final class OurTable implements PeerTable, ExtentSink, MappingVisitor {

    private static final int READ_WRITE = 3;

    private final NodeSpace space;
    private final MappingTable tree;
    private long foundFirst;
    private long foundPhysical;
    private long sum;

    /** A table with room for so many mappings, however they are made. */
    OurTable(int mappings) {
        space = new NodeSpace(memory(NodeSpace.bytesFor(mappings, 1)));
        tree = new MappingTree(space);
    }

    /** Memory from where the table's comes from, with the same advice to the operating system. */
    static HostMemory memory(long bytes) {
        return HostMemory.collected(bytes);
    }

    @Override
    public boolean insert(long first, long last, long physical) {
        return tree.insert(first, last, physical, READ_WRITE) == MappingTable.Insertion.INSERTED;
    }

    @Override
    public long remove(long first, long last) {
        return tree.remove(first, last) == MappingTable.Removal.REMOVED ? tree.removed() : 0;
    }

    @Override
    public long removeAll() {
        return remove(0, -1);
    }

    @Override
    public long translate(long address) {
        return tree.find(address, READ_WRITE, this) == MappingTable.Lookup.FOUND
                ? foundPhysical + (address - foundFirst) : 0;
    }

    @Override
    public long walk() {
        sum = 0;
        tree.forEach(0, -1, this);
        return sum;
    }

    @Override
    public void gracePeriod() {
        space.reclaim();
    }

    @Override
    public long bytes() {
        return space.bytesInUse();
    }

    @Override
    public void extent(long virtStart, long virtEnd, long physical, int permitted) {
        foundFirst = virtStart;
        foundPhysical = physical;
    }

    @Override
    public boolean mapping(long virtStart, long virtEnd, long physStart, int flags) {
        sum += virtEnd ^ physStart;
        return true;
    }
}
