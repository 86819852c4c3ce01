// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.dma;

import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import org.jspecify.annotations.Nullable;
import org.virtio4j.dma.translate.ExtentSink;
import org.virtio4j.dma.translate.TranslateResult;
import org.virtio4j.dma.translate.TranslationCaches;
import org.virtio4j.dma.translate.Translator;
import org.virtio4j.vmm.Access;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.vmm.grace.GracePeriods;
import org.virtio4j.vmm.grace.ReaderSlot;

/**
 * A translator whose handles have caches. It maps stretches of the same number of pages; where one leads says which
 * stretch it is and how often that was mapped. One thread changes it.
 */
final class PageVersions implements Translator {

    private static final int SHIFT = 32;
    private static final int PERMITTED = Access.READ.mask() | Access.WRITE.mask();

    private final GracePeriods readers = new GracePeriods((holder, waitedNanos) -> { });
    private final TranslationCaches caches = new TranslationCaches();
    private final AtomicLong generation = new AtomicLong();
    private final AtomicLongArray versions;
    private final long size;
    private final long stride;

    /** Runs between a lookup and its answer. */
    private volatile @Nullable Runnable delay;

    /**
     * Nothing is mapped yet.
     *
     * @param count  how many stretches there are
     * @param pages  of each
     * @param stride pages from the start of one to the start of the next
     */
    PageVersions(int count, long pages, long stride) {
        this.versions = new AtomicLongArray(count);
        this.size = pages * GuestMemory.PAGE_SIZE;
        this.stride = stride * GuestMemory.PAGE_SIZE;
    }

    int count() {
        return versions.length();
    }

    long start(int index) {
        return (index + 1) * stride;
    }

    long last(int index) {
        return start(index) + size - 1;
    }

    /** Version 1 or more. */
    void map(int index, long version) {
        versions.set(index, version);
    }

    /** Takes one away: complete when this returns. */
    void unmap(int index) {
        versions.set(index, 0);
        generation.lazySet(generation.getPlain() + 1);
        VarHandle.fullFence();
        caches.forget(start(index), last(index));
        generation.lazySet(generation.getPlain() + 1);
        readers.awaitAll(Long.MAX_VALUE);
    }

    void delay(Runnable action) {
        delay = action;
    }

    GracePeriods readers() {
        return readers;
    }

    static long version(long physical) {
        return physical >>> SHIFT;
    }

    @Override
    public TranslateResult translate(long iova, Access access, ExtentSink out) {
        int index = (int) (iova / stride) - 1;
        long version = versions.get(index);
        Runnable action = delay;
        if (action != null) {
            action.run();
        }
        if (version == 0 || iova > last(index)) {
            return TranslateResult.NO_MAPPING;
        }
        out.extent(start(index), last(index), (version << SHIFT) + index * size, PERMITTED);
        return TranslateResult.OK;
    }

    @Override
    public long generation() {
        return generation.get();
    }

    @Override
    public TranslationCaches caches() {
        return caches;
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
        // Nobody is interested.
    }
}
