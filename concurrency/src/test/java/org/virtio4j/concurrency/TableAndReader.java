// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.concurrency;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.virtio4j.dma.DmaGate;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.dma.translate.ExtentSink;
import org.virtio4j.iommu.table.MappingTable;
import org.virtio4j.iommu.table.MappingTree;
import org.virtio4j.iommu.table.NodeSpace;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.vmm.LittleEndian;

/** A table, a reader of it, and a word that says how far the writer is. */
final class TableAndReader implements ExtentSink {

    /** Of one long race: enough for both to have a processor at the same time where there are not two to spare. */
    static final int CHANGES = 50_000;

    private static final Pool<TableAndReader> POOL = new Pool<>(TableAndReader::new);
    private static final long NOTHING = -1;
    private static final int SPINS = 3;
    private static final long LIMIT_NANOS = 1_000_000_000L;
    private static final int READ = 1;
    private static final int READ_WRITE = 3;
    private static final long PAGE = GuestMemory.PAGE_SIZE;

    final GuestMemory memory = GuestMemory.anonymous(0, PAGE);
    final DmaHandle reader = DmaSpace.identity(memory).open("reader");
    final DmaGate gate = new DmaGate(memory);
    final DmaHandle gated = DmaSpace.identity(memory).behind(gate).open("gated");
    private final Arena arena = Arena.ofAuto();
    final NodeSpace space = new NodeSpace(arena.allocate(NodeSpace.bytesFor(16, 1), 4096));
    final MappingTable table = new MappingTree(space);
    private final CachingTranslator remembered = new CachingTranslator(table);
    final DmaHandle remembering = DmaSpace.of(memory, remembered).open("remembering");
    private final MemorySegment progress = arena.allocate(4096, 4096);

    private long virtStart;
    private long virtEnd;
    long physStart;

    static TableAndReader take() {
        TableAndReader desk = POOL.take();
        desk.table.clear();
        desk.space.reclaim();
        desk.done(0);
        return desk;
    }

    void giveBack() {
        POOL.give(this);
    }

    /** The writer has waited for all readers after this change. */
    void done(long change) {
        LittleEndian.putI64Release(progress, 0, change);
    }

    long done() {
        return LittleEndian.i64Acquire(progress, 0);
    }

    void map(long iova, long physical) {
        if (table.insert(iova, iova + PAGE - 1, physical, READ_WRITE) != MappingTable.Insertion.INSERTED) {
            throw new IllegalStateException("the race was not set up as it should be");
        }
    }

    void unmap(long iova) {
        table.remove(iova, iova + PAGE - 1);
    }

    /** Clears a page that is out of the table from the cache of the handle that keeps translations. */
    void forget(long iova) {
        remembered.forget(iova, iova + PAGE - 1);
    }

    void await() {
        memory.gracePeriods().awaitAll(LIMIT_NANOS);
    }

    boolean find(long iova) {
        virtStart = NOTHING;
        return table.find(iova, READ, this) == MappingTable.Lookup.FOUND;
    }

    boolean found(long iova, long physical) {
        return virtStart == iova && virtEnd == iova + PAGE - 1 && physStart == physical;
    }

    /** Makes a section long enough for whoever does not wait for it to get on. */
    static void stay() {
        for (int i = 0; i < SPINS; i++) {
            Thread.onSpinWait();
        }
    }

    @Override
    public void extent(long start, long end, long physical, int permitted) {
        virtStart = start;
        virtEnd = end;
        physStart = physical;
    }
}
