// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.dma.translate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.virtio4j.vmm.Access;
import org.virtio4j.vmm.GuestMemory;

/** What a cache knows and what it forgets, seen by its owner. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class TranslationCacheTest {

    private static final long PAGE = GuestMemory.PAGE_SIZE;
    private static final long GIB = 1L << 30;
    private static final int READ = Access.READ.mask();
    private static final int BOTH = READ | Access.WRITE.mask();
    private static final long SEED = Long.getLong("virtio4j.seed", System.nanoTime());

    private final TranslationCache cache = new TranslationCache();
    private final LastTranslation found = new LastTranslation();

    @Test
    void shouldKnowNothingAtFirst() {
        assertUnknown(0);
        assertUnknown(-1);
        cache.forget(0, -1);
        cache.forgetAll();
    }

    @Test
    void shouldKnowEveryAddressOfAnExtentAndNoOther() {
        for (long pages : new long[] {1, 2, 3, 5, 31, 32, 33, 1000, GIB / PAGE, GIB / PAGE + 1}) {
            for (long start : new long[] {0, 7 * PAGE, 123_457 * PAGE, -5 * GIB - PAGE}) {
                long last = start + pages * PAGE - 1;
                keep(start, last, 9 * PAGE, BOTH);
                for (long iova : new long[] {start, start + PAGE / 2, start + pages * PAGE / 2, last}) {
                    assertKnown(iova, start, last, 9 * PAGE);
                }
                assertUnknown(start - 1);
                assertUnknown(last + 1);
                cache.forget(start, last);
                assertUnknown(start);
                assertUnknown(last);
            }
        }
    }

    @Test
    void shouldKnowTheLastAddressesOfAll() {
        keep(-PAGE, -1, 0, BOTH);
        assertKnown(-1, -PAGE, -1, 0);
        assertUnknown(0);
        cache.forget(-PAGE, -1);
        keep(0, -1, 0, BOTH);
        assertKnown(0, 0, -1, 0);
        assertKnown(-1, 0, -1, 0);
        cache.forgetAll();
        assertUnknown(0);
        assertUnknown(-1);
    }

    @Test
    void shouldKnowWhatIsPermitted() {
        keep(0, PAGE - 1, 0, READ);
        assertTrue(cache.find(0, Access.READ, found));
        assertEquals(READ, found.permitted());
        assertFalse(cache.find(0, Access.WRITE, found));
    }

    @Test
    void shouldKnowTheNewerOfTwoExtentsWithTheSameStart() {
        keep(0, PAGE - 1, PAGE, BOTH);
        keep(0, PAGE - 1, 2 * PAGE, BOTH);
        assertKnown(0, 0, PAGE - 1, 2 * PAGE);
        cache.forget(0, PAGE - 1);
        assertUnknown(0);
    }

    @Test
    void shouldForgetOneOfAThousandAndKnowTheOthers() {
        for (int forgotten : new int[] {0, 500, 999}) {
            for (int i = 0; i < 1000; i++) {
                keep(2L * i * PAGE, 2L * i * PAGE + PAGE - 1, i * PAGE, BOTH);
            }
            cache.forget(2L * forgotten * PAGE, 2L * forgotten * PAGE + PAGE - 1);
            for (int i = 0; i < 1000; i++) {
                assertEquals(i != forgotten, cache.find(2L * i * PAGE, Access.READ, found), "page " + i);
            }
        }
    }

    @Test
    void shouldTakeTwoEntriesForALargeExtent() {
        for (int i = 0; i < 900; i++) {
            keep(i * PAGE, i * PAGE + PAGE - 1, 0, BOTH);
        }
        keep(GIB, 2 * GIB - 1, 0, BOTH);
        for (long iova = GIB; iova < 2 * GIB; iova += PAGE) {
            assertTrue(cache.find(iova, Access.WRITE, found));
        }
        for (int i = 0; i < 900; i++) {
            assertTrue(cache.find(i * PAGE, Access.READ, found), "page " + i + " was displaced");
        }
    }

    @Test
    void shouldForgetByCountingToNoMoreThanItsSizeHoweverSmallAnExtentWas() {
        // Extents should be whole pages, but come from the embedder's translators, too.
        keep(0x1000, 0x1000, 0, BOTH);
        keep(0x2001, 0x2002, 0, BOTH);
        keep(3 * PAGE, 4 * PAGE - 1, 0, BOTH);
        keep(-2, -1, 0, BOTH);
        keep(Long.MAX_VALUE, Long.MAX_VALUE, 0, BOTH);
        keep(Long.MIN_VALUE, Long.MIN_VALUE, 0, BOTH);
        cache.forget(-2, -1);
        assertUnknown(-1);
        cache.forget(Long.MAX_VALUE, Long.MIN_VALUE);
        assertUnknown(Long.MAX_VALUE);
        assertUnknown(Long.MIN_VALUE);
        assertKnown(0x1000, 0x1000, 0x1000, 0);
        cache.forget(0, -1);
        assertUnknown(0x1000);
        assertUnknown(0x2002);
        assertUnknown(3 * PAGE);
    }

    @Test
    void shouldForgetWhatLiesInALargeRange() {
        keep(0, PAGE - 1, 0, BOTH);
        keep(GIB, GIB + 17 * PAGE - 1, 0, BOTH);
        keep(3 * GIB, 4 * GIB - 1, 0, BOTH);
        keep(9 * GIB, 9 * GIB + PAGE - 1, 0, BOTH);
        cache.forget(PAGE, 9 * GIB - 1);
        assertKnown(0, 0, PAGE - 1, 0);
        assertUnknown(GIB);
        assertUnknown(GIB + 16 * PAGE);
        assertUnknown(3 * GIB);
        assertUnknown(4 * GIB - 1);
        assertKnown(9 * GIB, 9 * GIB, 9 * GIB + PAGE - 1, 0);
    }

    /** Extents side by side, kept and forgotten in any order: what is known is true, and what was forgotten is not. */
    @Test
    void shouldKnowOnlyWhatWasKeptLast() {
        SplittableRandom random = new SplittableRandom(SEED);
        List<long[]> extents = new ArrayList<>();
        long next = 0;
        for (int i = 0; i < 3000; i++) {
            long size = PAGE * (1 + random.nextLong(1L << random.nextInt(16)));
            extents.add(new long[] {next, next + size - 1, 0});
            next += size;
        }
        for (int step = 1; step < 100_000; step++) {
            int index = random.nextInt(extents.size());
            long[] extent = extents.get(index);
            switch (random.nextInt(4)) {
                case 0 -> forget(extents, index, Math.min(extents.size() - 1, index + random.nextInt(40)));
                case 1 -> {
                    forget(extents, index, index);
                    extent[2] = step;
                    keep(extent[0], extent[1], step * PAGE, BOTH);
                }
                default -> {
                    long iova = extent[0] + random.nextLong(extent[1] - extent[0] + 1);
                    if (cache.find(iova, Access.READ, found)) {
                        assertEquals(extent[2] * PAGE, found.physStart(), "-Dvirtio4j.seed=" + SEED);
                        assertEquals(extent[0], found.virtStart());
                        assertEquals(extent[1], found.virtEnd());
                    }
                }
            }
        }
    }

    private void forget(List<long[]> extents, int from, int to) {
        cache.forget(extents.get(from)[0], extents.get(to)[1]);
        for (int i = from; i <= to; i++) {
            extents.get(i)[2] = -1;
        }
    }

    private void keep(long start, long last, long physical, int permitted) {
        LastTranslation extent = new LastTranslation();
        extent.extent(start, last, physical, permitted);
        cache.keep(extent);
    }

    private void assertKnown(long iova, long start, long last, long physical) {
        assertTrue(cache.find(iova, Access.READ, found), () -> "unknown: 0x" + Long.toHexString(iova));
        assertEquals(List.of(start, last, physical),
                List.of(found.virtStart(), found.virtEnd(), found.physStart()));
    }

    private void assertUnknown(long iova) {
        assertFalse(cache.find(iova, Access.READ, found), () -> "known: 0x" + Long.toHexString(iova));
    }
}
