// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.dma;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.virtio4j.dma.translate.TranslateResult;
import org.virtio4j.vmm.Access;
import org.virtio4j.vmm.GuestMemory;

/**
 * One thread translates, through its cache and by what it resolved earlier, while another takes away what it
 * translates. A section that begins after something was taken away must not see it. The other thread says how far it
 * is; that is all the two know of each other.
 */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class TranslationCacheStressTest {

    private static final int ROUNDS = 300_000;
    private static final int LONGEST_DELAY = 40;
    private static final long SEED = Long.getLong("virtio4j.seed", System.nanoTime());

    private final GuestMemory memory = new GuestMemory();
    private final AtomicReference<String> wrong = new AtomicReference<>("");
    private final AtomicLong answers = new AtomicLong();
    private volatile boolean over;

    @AfterEach
    void close() {
        memory.close();
    }

    @Test
    void shouldNeverBeStaleWhenPagesComeAndGo() {
        run(new PageVersions(3, 1, 1), false);
    }

    @Test
    void shouldNeverBeStaleWhenLookupsTakeLong() {
        run(new PageVersions(3, 1, 1), true);
    }

    @Test
    void shouldNeverBeStaleWhenExtentsHaveTwoEntries() {
        run(new PageVersions(3, 5, 7), true);
    }

    @Test
    void shouldNeverBeStaleWhenEntriesReplaceEachOther() {
        run(new PageVersions(8192, 1, 1), false);
    }

    private void run(PageVersions table, boolean slow) {
        AtomicLongArray goneUpTo = new AtomicLongArray(table.count());
        for (int i = 0; i < table.count(); i++) {
            table.map(i, 1);
        }
        DmaHandle dma = DmaSpace.of(memory, table).open("reader");
        if (slow) {
            SplittableRandom delays = new SplittableRandom(SEED);
            table.delay(() -> spin(delays.nextInt(LONGEST_DELAY)));
        }
        Thread reader = new Thread(() -> new Reader(table, dma, goneUpTo).run(), "reader");
        reader.start();
        SplittableRandom random = new SplittableRandom(SEED + 1);
        // A few of many are changed, so that these are met again.
        int changing = Math.min(table.count(), 4);
        for (long version = 2; version < ROUNDS && wrong.get().isEmpty(); version++) {
            int index = random.nextInt(changing);
            table.unmap(index);
            goneUpTo.set(index, version - 1);
            spin(random.nextInt(LONGEST_DELAY));
            table.map(index, version);
            spin(random.nextInt(LONGEST_DELAY));
        }
        over = true;
        ParkedReader.finish(reader);
        dma.close();
        assertEquals("", wrong.get(), "-Dvirtio4j.seed=" + SEED);
        assertTrue(answers.get() > 0 && table.readers().cacheHits() > 0, "nothing was translated, or nothing cached");
    }

    private static void spin(int times) {
        for (int i = 0; i < times; i++) {
            Thread.onSpinWait();
        }
    }

    /** A device. */
    private final class Reader {

        private final PageVersions table;
        private final DmaHandle dma;
        private final AtomicLongArray goneUpTo;
        private final SplittableRandom random = new SplittableRandom(SEED + 2);
        private long physical;

        /** What was resolved before, as the parts of a ring are, and is used until the generation moves. */
        private int leased;
        private long leasedPhysical;
        private long leasedGeneration = -1;

        Reader(PageVersions table, DmaHandle dma, AtomicLongArray goneUpTo) {
            this.table = table;
            this.dma = dma;
            this.goneUpTo = goneUpTo;
        }

        void run() {
            int often = Math.min(table.count(), 4);
            while (!over) {
                look(random.nextInt(16) == 0 ? random.nextInt(table.count()) : random.nextInt(often));
            }
        }

        private void look(int index) {
            long gone = goneUpTo.get(index);
            long goneLeased = goneUpTo.get(leased);
            dma.enter();
            long generation = dma.generation();
            if (generation == leasedGeneration) {
                check(leased, leasedPhysical, goneLeased, "lease");
            } else {
                leasedGeneration = -1;
            }
            long iova = table.start(index) + random.nextLong(table.last(index) - table.start(index) + 1);
            if (dma.translate(iova, Access.READ, this::found) == TranslateResult.OK) {
                check(index, physical, gone, "translation");
                if (leasedGeneration < 0) {
                    leased = index;
                    leasedPhysical = physical;
                    leasedGeneration = generation;
                }
            }
            dma.leave();
        }

        private void found(long virtStart, long virtEnd, long physStart, int permitted) {
            physical = physStart;
        }

        private void check(int index, long place, long gone, String what) {
            answers.lazySet(answers.getPlain() + 1);
            long size = table.last(index) - table.start(index) + 1;
            boolean right = (int) place == index * size;
            if (!right || PageVersions.version(place) <= gone) {
                wrong.set(what + " of stretch " + index + " led to 0x" + Long.toHexString(place) + " after version "
                        + gone + " was gone");
                over = true;
            }
        }
    }
}
