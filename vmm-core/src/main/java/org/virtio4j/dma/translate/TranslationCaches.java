// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.dma.translate;

import java.util.Arrays;
import java.util.concurrent.locks.ReentrantLock;
import org.virtio4j.vmm.grace.GracePeriods;

/**
 * What all {@code DmaHandle}s of one {@link Translator} remember, and the way to make them forget. The translator has
 * one such object and hands it out in {@link Translator#caches()}; each handle adds a cache to it.
 *
 * <p>To take a translation away, a translator
 * <ol>
 *   <li>makes sure that a look-up from now on does not find it,
 *   <li>moves {@link Translator#generation()},
 *   <li>calls {@link java.lang.invoke.VarHandle#fullFence()},
 *   <li>calls {@link #forget} or {@link #forgetAll},
 *   <li>moves the generation again: a reader may have read it between 2 and 4, and found an address before it was
 *       forgotten; it must not take that for present,
 *   <li>waits for its {@link GracePeriods}.
 * </ol>
 * One pass over the steps may take any number of translations away. Where nothing was unlinked, nothing
 * has to be forgotten: refusals are not remembered.
 *
 * <p>All methods may be called from any thread.
 */
public final class TranslationCaches {

    private final ReentrantLock changes = new ReentrantLock();
    private volatile TranslationCache[] caches = new TranslationCache[0];

    /** Nobody remembers anything yet. */
    public TranslationCaches() {
    }

    /** Adds the cache of a handle, to be removed when the handle is closed. */
    void add(TranslationCache added) {
        changes.lock();
        try {
            TranslationCache[] more = Arrays.copyOf(caches, caches.length + 1);
            more[caches.length] = added;
            caches = more;
        } finally {
            changes.unlock();
        }
    }

    void remove(TranslationCache removed) {
        changes.lock();
        try {
            caches = Arrays.stream(caches).filter(cache -> cache != removed).toArray(TranslationCache[]::new);
        } finally {
            changes.unlock();
        }
    }

    /**
     * How many handles remember something here.
     *
     * @return a count as of now
     */
    public int count() {
        return caches.length;
    }

    /**
     * Whether any handle remembers translations here. Asked in step 4; once is enough for any number of ranges.
     *
     * @return false if forgetting would have nothing to do
     */
    public boolean isInUse() {
        return caches.length != 0;
    }

    /**
     * Forgets the extents in a range; step 4 above.
     *
     * @param virtStart first I/O-virtual address; no extent crosses it
     * @param virtEnd   last I/O-virtual address, inclusive; no extent crosses it
     */
    public void forget(long virtStart, long virtEnd) {
        TranslationCache[] all = caches;
        for (int i = 0; i < all.length; i++) {
            all[i].forget(virtStart, virtEnd);
        }
    }

    /** Forgets everything; step 4 above. */
    public void forgetAll() {
        TranslationCache[] all = caches;
        for (int i = 0; i < all.length; i++) {
            all[i].forgetAll();
        }
    }
}
