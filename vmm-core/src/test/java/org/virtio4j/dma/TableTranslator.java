// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.dma;

import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.virtio4j.dma.translate.ExtentSink;
import org.virtio4j.dma.translate.TranslateResult;
import org.virtio4j.dma.translate.Translator;
import org.virtio4j.vmm.Access;
import org.virtio4j.vmm.grace.GracePeriods;
import org.virtio4j.vmm.grace.ReaderSlot;
import org.virtio4j.vmm.grace.StallListener;

/** A translator that is a plain list of extents, and remembers the faults it heard of. */
class TableTranslator implements Translator {

    static final int READ = Access.READ.mask();
    static final int WRITE = Access.WRITE.mask();
    static final int BOTH = READ | WRITE;

    /** A report of {@link Translator#faulted}. */
    record Fault(TranslateResult reason, long iova, Access access) {
    }

    private record Entry(long virtStart, long virtEnd, long physStart, int permitted) {
    }

    final GracePeriods readers;
    final List<Fault> faults = new CopyOnWriteArrayList<>();
    private volatile Entry[] entries = new Entry[0];
    private volatile long generation;
    private volatile int translations;

    TableTranslator() {
        this((holder, waitedNanos) -> { });
    }

    TableTranslator(StallListener listener) {
        readers = new GracePeriods(listener);
    }

    TableTranslator map(long virtStart, long virtEnd, long physStart, int permitted) {
        Entry[] more = Arrays.copyOf(entries, entries.length + 1);
        more[entries.length] = new Entry(virtStart, virtEnd, physStart, permitted);
        entries = more;
        return this;
    }

    /** Makes what was mapped first mean another address, in one store and without any wait. */
    void redirectFirst(long physStart) {
        Entry old = entries[0];
        Entry[] changed = entries.clone();
        changed[0] = new Entry(old.virtStart, old.virtEnd, physStart, old.permitted);
        entries = changed;
        advance();
    }

    void unmapAll() {
        entries = new Entry[0];
        advance();
    }

    /** How often somebody asked. */
    int translations() {
        return translations;
    }

    @Override
    @SuppressWarnings("NonAtomicVolatileUpdate") // counted by one thread at a time
    public TranslateResult translate(long iova, Access access, ExtentSink out) {
        translations++;
        Entry[] now = entries;
        for (int i = 0; i < now.length; i++) {
            Entry entry = now[i];
            if (Long.compareUnsigned(iova - entry.virtStart, entry.virtEnd - entry.virtStart) <= 0) {
                if ((entry.permitted & access.mask()) == 0 && !message(entry, access)) {
                    return TranslateResult.NOT_PERMITTED;
                }
                out.extent(entry.virtStart, entry.virtEnd, entry.physStart, entry.permitted);
                return TranslateResult.OK;
            }
        }
        return TranslateResult.NO_MAPPING;
    }

    private static boolean message(Entry entry, Access access) {
        return entry.permitted == ExtentSink.MESSAGES && access == Access.WRITE;
    }

    @Override
    public long generation() {
        return generation;
    }

    @Override
    public void join(ReaderSlot slot) {
        readers.add(slot);
    }

    @Override
    public void part(ReaderSlot slot) {
        readers.remove(slot);
    }

    @Override
    public void faulted(TranslateResult reason, long iova, Access access) {
        faults.add(new Fault(reason, iova, access));
    }

    @SuppressWarnings("NonAtomicVolatileUpdate") // one writer
    private void advance() {
        generation++;
    }
}
