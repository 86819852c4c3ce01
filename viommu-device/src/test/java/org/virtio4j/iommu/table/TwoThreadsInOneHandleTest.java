// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.table;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.virtio4j.iommu.table.Mappings.start;
import static org.virtio4j.iommu.table.Mappings.tryMap;

import java.lang.invoke.VarHandle;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.dma.translate.ExtentSink;
import org.virtio4j.dma.translate.TranslateResult;
import org.virtio4j.dma.translate.Translator;
import org.virtio4j.vmm.Access;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.vmm.grace.GracePeriods;
import org.virtio4j.vmm.grace.ReaderSlot;

/**
 * The one mistake of an embedder that could end the process: two threads in one handle, while a third takes mappings
 * away. If a writer missed one of them, that one would follow references that are no more.
 */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class TwoThreadsInOneHandleTest {

    private static final int CHANGES = 400;
    private static final int PAGES = 4_000;

    private final GuestMemory memory = new GuestMemory();
    private final TableMemory tables = TableMemory.forMappings(4 * PAGES);
    private final MappingTree table = tables.table();
    private final GracePeriods readers = new GracePeriods((holder, waitedNanos) -> { });
    private final AtomicLong generation = new AtomicLong();
    private final AtomicBoolean over = new AtomicBoolean();
    private final AtomicInteger refused = new AtomicInteger();
    private final AtomicInteger wrong = new AtomicInteger();

    @Test
    void shouldRefuseOneAndNeverFollowWhatIsNoMore() throws InterruptedException {
        DmaHandle shared = DmaSpace.of(memory, new Through()).open("shared by mistake");
        Thread one = reader(shared, 1);
        Thread other = reader(shared, 2);
        SplittableRandom random = new SplittableRandom(3);
        for (int change = 0; change < CHANGES || refused.get() == 0; change++) {
            change(random);
        }
        over.set(true);
        one.join();
        other.join();
        assertEquals(0, wrong.get());
        assertTrue(refused.get() > 0);
        table.verify();
        tables.close();
    }

    /** Splits leaves and joins them, and uses their nodes again at once. */
    private void change(SplittableRandom random) {
        long first = random.nextInt(PAGES);
        for (long page = first; page < first + 200; page++) {
            tryMap(table, 2 * page, 2 * page);
        }
        long from = random.nextInt(PAGES);
        table.remove(start(2 * from), start(2 * (from + 1 + random.nextInt(PAGES))) - 1);
        generation.incrementAndGet();
        VarHandle.fullFence();
        readers.awaitAll(Long.MAX_VALUE);
        tables.space.reclaim();
    }

    private Thread reader(DmaHandle shared, int seed) {
        Thread thread = new Thread(() -> {
            SplittableRandom random = new SplittableRandom(seed);
            while (!over.get()) {
                try {
                    shared.enter();
                } catch (IllegalStateException taken) {
                    refused.incrementAndGet();
                    leaveAsInAFinallyBlock(shared);
                    continue;
                }
                for (int i = 0; i < 20; i++) {
                    look(shared, random.nextInt(3 * PAGES));
                }
                shared.leave();
            }
        }, "reader " + seed);
        thread.start();
        return thread;
    }

    private void look(DmaHandle shared, long page) {
        TranslateResult result = shared.translate(start(page), Access.READ, (virtStart, virtEnd, physical, allowed) -> {
            if (virtStart != start(page) || physical != Mappings.physOf(virtStart)) {
                wrong.incrementAndGet();
            }
        });
        if (result != TranslateResult.OK && result != TranslateResult.NO_MAPPING) {
            wrong.incrementAndGet();
        }
    }

    private void leaveAsInAFinallyBlock(DmaHandle shared) {
        try {
            shared.leave();
            wrong.incrementAndGet();
        } catch (IllegalStateException notInside) {
            refused.incrementAndGet();
        }
    }

    /** Looks everything up in the table, like the translator of an endpoint. */
    private final class Through implements Translator {

        @Override
        public TranslateResult translate(long iova, Access access, ExtentSink out) {
            return table.find(iova, access.mask(), out) == MappingTable.Lookup.FOUND
                    ? TranslateResult.OK : TranslateResult.NO_MAPPING;
        }

        @Override
        public long generation() {
            return generation.get();
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
            // Half of all pages are not mapped.
        }
    }
}
