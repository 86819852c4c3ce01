// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.concurrency;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import org.virtio4j.dma.translate.ExtentSink;
import org.virtio4j.dma.translate.TranslateResult;
import org.virtio4j.dma.translate.TranslationCaches;
import org.virtio4j.dma.translate.Translator;
import org.virtio4j.iommu.table.MappingTable;
import org.virtio4j.vmm.Access;
import org.virtio4j.vmm.LittleEndian;
import org.virtio4j.vmm.grace.ReaderSlot;

/** A translator over one table, whose handles keep translations. */
final class CachingTranslator implements Translator {

    private final MappingTable table;
    private final TranslationCaches caches = new TranslationCaches();
    private final MemorySegment generation = Arena.ofAuto().allocate(4096, 4096);

    CachingTranslator(MappingTable table) {
        this.table = table;
    }

    /** What the device does for a mapping that is out of the table, except for the grace period. */
    void forget(long virtStart, long virtEnd) {
        advance();
        VarHandle.fullFence();
        caches.forget(virtStart, virtEnd);
        advance();
    }

    private void advance() {
        LittleEndian.putI64Release(generation, 0, generation() + 1);
    }

    @Override
    public TranslateResult translate(long iova, Access access, ExtentSink out) {
        return table.find(iova, access.mask(), out) == MappingTable.Lookup.FOUND
                ? TranslateResult.OK : TranslateResult.NO_MAPPING;
    }

    @Override
    public long generation() {
        return LittleEndian.i64Acquire(generation, 0);
    }

    @Override
    public TranslationCaches caches() {
        return caches;
    }

    @Override
    public void join(ReaderSlot slot) {
        // The desk waits for the readers of its memory.
    }

    @Override
    public void part(ReaderSlot slot) {
        // For the same reason there is nothing to do.
    }

    @Override
    public void faulted(TranslateResult reason, long iova, Access access) {
        // Nothing mapped is what half of all look-ups should find.
    }
}
