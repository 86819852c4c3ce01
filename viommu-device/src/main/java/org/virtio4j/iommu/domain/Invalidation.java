// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.domain;

import java.lang.invoke.VarHandle;
import java.util.List;

/**
 * Collects what was taken away since the last grace period, and makes the caches of devices forget it: one fence serves
 * a whole batch of UNMAPs. Under the control lock.
 */
final class Invalidation {

    /** As many UNMAPs as a batch can hold. */
    private static final int MOST_RANGES = 64;

    private final Endpoints endpoints;
    private final InvalidationCount generation = new InvalidationCount();
    private final Domain[] domains = new Domain[MOST_RANGES];
    private final long[] starts = new long[MOST_RANGES];
    private final long[] ends = new long[MOST_RANGES];
    private int ranges;
    private boolean moved;

    Invalidation(Endpoints endpoints) {
        this.endpoints = endpoints;
    }

    /** The count that is the generation of all translators of this IOMMU. */
    InvalidationCount generation() {
        return generation;
    }

    /** Mappings that lay inside a range are not in the table any more; the end is inclusive. */
    void unmapped(Domain domain, long virtStart, long virtEnd) {
        if (ranges == MOST_RANGES) {
            forget();
        }
        domains[ranges] = domain;
        starts[ranges] = virtStart;
        ends[ranges] = virtEnd;
        ranges++;
    }

    /** Some endpoints are not attached as they were; each of those knows it. */
    void moved() {
        moved = true;
    }

    /** What the bypass byte says to endpoints that are attached to nothing is different now. */
    void bypassChanged() {
        List<Endpoint> all = endpoints.all();
        for (int i = 0; i < all.size(); i++) {
            Endpoint endpoint = all.get(i);
            if (endpoint.domain().kind() == Domain.Kind.UNATTACHED) {
                endpoint.distrust();
            }
        }
        moved = true;
    }

    /**
     * Makes all caches forget, and advances the generation before and after; {@link
     * org.virtio4j.dma.translate.TranslationCaches} says why. Readers must not be able to find any more what was taken
     * away.
     */
    void forget() {
        generation.advance();
        if (ranges == 0 && !moved) {
            return;
        }
        // The generation must be visible before the caches are read; pairs with the fence of a device that keeps.
        VarHandle.fullFence();
        forgetRanges();
        if (moved) {
            forgetMoved();
        }
        generation.advance();
    }

    private void forgetRanges() {
        Domain last = null;
        boolean remembered = false;
        for (int i = 0; i < ranges; i++) {
            if (domains[i] != last) {
                last = domains[i];
                remembered = last.isRemembered();
            }
            if (remembered) {
                last.forget(starts[i], ends[i]);
            }
        }
        ranges = 0;
    }

    private void forgetMoved() {
        List<Endpoint> all = endpoints.all();
        for (int i = 0; i < all.size(); i++) {
            all.get(i).forgetIfMoved();
        }
        moved = false;
    }
}
