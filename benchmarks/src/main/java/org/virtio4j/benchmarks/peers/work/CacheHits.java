// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.peers.work;

import java.util.Locale;
import java.util.TreeMap;
import org.virtio4j.benchmarks.fixture.CachedGuest;
import org.virtio4j.benchmarks.peers.input.Keys;

/**
 * How many translations of a recorded guest a device finds in its cache, and how many any cache could have: all but the
 * first of each mapping.
 *
 * @param translations all of them
 * @param hits         those that our handle did not ask the table for
 * @param atBest       those of an address whose mapping was translated before
 */
public record CacheHits(long translations, long hits, long atBest) {

    /** Plays the steps on an IOMMU, and keeps count of the mappings beside it. */
    public static CacheHits of(Keys keys) {
        TreeMap<Long, Touched> live = new TreeMap<>();
        long[] steps = keys.steps();
        long translations = 0;
        long again = 0;
        try (CachedGuest guest = new CachedGuest(Math.max(1, keys.stepCount()))) {
            for (int i = 0; i < steps.length; i += Keys.WORDS_OF_STEP) {
                long first = steps[i + 1];
                if (steps[i] == Keys.MAP) {
                    guest.map(first, steps[i + 2], steps[i + 3]);
                    live.put(first, new Touched(steps[i + 2]));
                } else if (steps[i] == Keys.UNMAP) {
                    guest.unmap(first, steps[i + 2]);
                    live.subMap(first, true, steps[i + 2], true).clear();
                } else if (guest.translate(first)) {
                    translations++;
                    again += live.floorEntry(first).getValue().touch(first) ? 1 : 0;
                }
            }
            return new CacheHits(translations, guest.cacheHits(), again);
        }
    }

    public String text() {
        return String.format(Locale.ROOT, "%,d translations, %.2f %% answered by the cache of a DMA handle, %.2f %% at"
                + " best", translations, percent(hits), percent(atBest));
    }

    private double percent(long count) {
        return translations == 0 ? 0 : 100.0 * count / translations;
    }

    /** A mapping that lives. */
    private static final class Touched {

        private final long last;
        private boolean before;

        Touched(long last) {
            this.last = last;
        }

        /** Whether it was touched before. */
        boolean touch(long address) {
            if (address > last) {
                throw new IllegalStateException("address=" + Long.toHexString(address) + " is in no mapping");
            }
            boolean again = before;
            before = true;
            return again;
        }
    }
}
