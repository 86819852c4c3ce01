// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.translate.ExtentSink;
import org.virtio4j.dma.translate.TranslateResult;
import org.virtio4j.vmm.Access;

/**
 * A device translates the same few pages over and over while the driver has them lead elsewhere, on another thread. No
 * page ever leads to the same place twice, and the driver says which places it has taken back.
 */
class StaleTranslationTest extends IommuTests {

    private static final int ROUNDS = 50_000;
    private static final int PAGES = 4;
    private static final long PAGE = 0x1000;
    private static final long SEED = Long.getLong("virtio4j.seed", System.nanoTime());

    /** For each page, the highest place that it does not lead to any more. */
    private final AtomicLongArray gone = new AtomicLongArray(PAGES);
    private final AtomicReference<String> wrong = new AtomicReference<>("");
    private final long[] places = new long[PAGES];
    private final SplittableRandom random = new SplittableRandom(SEED);
    private int domain = ONE;
    private long nextPlace = 1;
    private volatile boolean over;

    @Test
    @DisplayName("5.13.6.4 rule 25, and a moving ATTACH: nothing that was taken away is found by a later section")
    void shouldNeverLeadToWhatWasTakenAway() {
        IommuMachine machine = start();
        machine.ok(Requests.attach(ONE, DISK));
        for (int page = 0; page < PAGES; page++) {
            machine.ok(map(page));
        }
        Device device = new Device(machine.dma(DISK));
        Future<?> running = Threads.start("device", device::run);
        for (int round = 0; round < ROUNDS && wrong.get().isEmpty(); round++) {
            change(machine);
        }
        over = true;
        Threads.join(running);
        assertEquals("", wrong.get(), "-Dvirtio4j.seed=" + SEED);
        assertTrue(machine.iommu().counters().cacheHits() > 0, "nothing was remembered");
    }

    private void change(IommuMachine machine) {
        long[] before = places.clone();
        List<byte[]> batch = new ArrayList<>();
        if (random.nextInt(16) == 0) {
            domain = ONE + TWO - domain;
            batch.add(Requests.attach(domain, DISK));
            for (int page = 0; page < PAGES; page++) {
                batch.add(map(page));
            }
        } else {
            int page = random.nextInt(PAGES);
            batch.add(Requests.unmap(domain, page * PAGE, page * PAGE + PAGE - 1));
            batch.add(map(page));
        }
        machine.sendAll(batch).forEach(reply -> Reply.assertStatus(Spec.OK, reply));
        for (int page = 0; page < PAGES; page++) {
            if (places[page] != before[page]) {
                gone.set(page, before[page]);
            }
        }
    }

    private byte[] map(int page) {
        places[page] = nextPlace * PAGE;
        nextPlace++;
        return Requests.map(domain, page * PAGE, page * PAGE + PAGE - 1, places[page]);
    }

    /** Translates, and uses what it resolved earlier for as long as the generation is the same. */
    private final class Device implements ExtentSink {

        private final DmaHandle dma;
        private final SplittableRandom random = new SplittableRandom(SEED + 1);
        private long place;
        private int leased;
        private long leasedPlace;
        private long leasedGeneration = -1;

        Device(DmaHandle dma) {
            this.dma = dma;
        }

        void run() {
            while (!over) {
                look(random.nextInt(PAGES));
            }
        }

        private void look(int page) {
            long goneNow = gone.get(page);
            long goneLeased = gone.get(leased);
            dma.enter();
            long generation = dma.generation();
            if (generation == leasedGeneration) {
                check(leased, leasedPlace, goneLeased, "what was resolved");
            } else {
                leasedGeneration = -1;
            }
            if (dma.translate(page * PAGE, Access.READ, this) == TranslateResult.OK) {
                check(page, place, goneNow, "what was translated");
                if (leasedGeneration < 0) {
                    leased = page;
                    leasedPlace = place;
                    leasedGeneration = generation;
                }
            }
            dma.leave();
        }

        @Override
        public void extent(long virtStart, long virtEnd, long physStart, int permitted) {
            place = physStart;
        }

        private void check(int page, long at, long goneUpTo, String what) {
            if (at <= goneUpTo) {
                wrong.set(what + " for page " + page + " is 0x" + Long.toHexString(at) + ", but all up to 0x"
                        + Long.toHexString(goneUpTo) + " was taken away");
                over = true;
            }
        }
    }
}
