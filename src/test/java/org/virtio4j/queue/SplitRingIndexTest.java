// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Sections 2.7.6 and 2.7.8: indexes that run modulo 65,536 over rings of every size. */
class SplitRingIndexTest {

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 2_048, 4_096, 8_192, 16_384, 32_768})
    void shouldFillAndDrainARingOfAnySizeTwice(int size) {
        try (RingFixture ring = RingFixture.of(size).open()) {
            for (int i = 0; i < size; i++) {
                ring.driver.descriptor(i, ring.readable(0, i % 4_096 + 1));
            }
            int used = 0;
            for (int round = 0; round < 2; round++) {
                for (int i = 0; i < size; i++) {
                    ring.driver.stage(size - 1 - i);
                }
                ring.driver.show();
                ring.queue.enter();
                for (int i = 0; i < size; i++) {
                    assertTrue(ring.queue.poll(ring.chain));
                    assertEquals((size - 1 - i) % 4_096 + 1, ring.chain.readableLength());
                    ring.queue.complete(ring.chain);
                }
                assertFalse(ring.queue.poll(ring.chain));
                ring.queue.leave();
                ring.queue.publish();
                used += size;
                assertEquals(used & 0xffff, ring.driver.usedIndex());
                for (int i = 0; i < size; i++) {
                    assertEquals(size - 1 - i, ring.driver.usedId(i));
                }
            }
            assertEquals(QueueFailure.NONE, ring.queue.failure());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4, 256, 32_768})
    void shouldGoOnWhenTheIndexesWrapTwice(int size) {
        Random random = new Random(size);
        try (RingFixture ring = RingFixture.of(size).open()) {
            for (int i = 0; i < size; i++) {
                ring.driver.descriptor(i, ring.writable(0, 16));
            }
            int served = 0;
            while (served < 140_000) {
                int batch = 1 + random.nextInt(Math.min(size, 300));
                for (int i = 0; i < batch; i++) {
                    ring.driver.stage((served + i) % size);
                }
                ring.driver.show();
                ring.queue.enter();
                for (int i = 0; i < batch; i++) {
                    assertTrue(ring.queue.poll(ring.chain));
                    ring.queue.complete(ring.chain);
                }
                assertFalse(ring.queue.poll(ring.chain));
                ring.queue.leave();
                assertTrue(ring.queue.publish());
                for (int i = 0; i < batch; i++) {
                    assertEquals((served + i) % size, ring.driver.usedId((served + i) & 0xffff));
                }
                served += batch;
                assertEquals(served & 0xffff, ring.driver.usedIndex());
            }
            assertEquals(QueueFailure.NONE, ring.queue.failure());
        }
    }

    @Test
    void shouldCompleteInAnyOrderWhileNewBuffersCome() {
        long seed = Long.getLong("virtio4j.seed", System.nanoTime());
        System.out.println("SplitRingIndexTest -Dvirtio4j.seed=" + seed);
        Random random = new Random(seed);
        int size = 64;
        try (RingFixture ring = RingFixture.of(size).open()) {
            List<Integer> free = new ArrayList<>();
            List<Chain> slots = new ArrayList<>();
            List<Chain> held = new ArrayList<>();
            for (int i = 0; i < size; i++) {
                // The length says which head it is.
                ring.driver.descriptor(i, ring.readable(0, i + 1));
                free.add(i);
                slots.add(new Chain());
            }
            int used = 0;
            while (used < 70_000) {
                offerSome(ring, free, random);
                while (random.nextInt(8) != 0 && !slots.isEmpty() && ring.poll(slots.getLast())) {
                    held.add(slots.removeLast());
                }
                List<Integer> expected = completeSome(ring, held, slots, random);
                ring.queue.publish();
                for (int head : expected) {
                    assertEquals(head, ring.driver.usedId(used & 0xffff));
                    free.add(head);
                    used++;
                }
                assertEquals(used & 0xffff, ring.driver.usedIndex());
            }
            assertEquals(QueueFailure.NONE, ring.queue.failure());
        }
    }

    /** Offers any number of the free heads, which are then not free any more. */
    private static void offerSome(RingFixture ring, List<Integer> free, Random random) {
        for (int i = random.nextInt(free.size() + 1); i > 0; i--) {
            int at = random.nextInt(free.size());
            ring.driver.offer(free.get(at));
            int last = free.removeLast();
            if (at < free.size()) {
                free.set(at, last);
            }
        }
    }

    /** Completes any number of the chains that are held; returns their heads in that order. */
    private static List<Integer> completeSome(RingFixture ring, List<Chain> held, List<Chain> slots, Random random) {
        List<Integer> heads = new ArrayList<>();
        for (int i = random.nextInt(held.size() + 1); i > 0; i--) {
            Chain done = held.remove(random.nextInt(held.size()));
            heads.add((int) done.readableLength() - 1);
            ring.complete(done);
            slots.add(done);
        }
        return heads;
    }

    @Test
    void shouldKeepItsOwnIndexWhateverTheDriverWritesIntoTheUsedRing() {
        try (RingFixture ring = RingFixture.of(4).open()) {
            ring.driver.descriptor(0, ring.readable(0, 1));
            for (int i = 0; i < 10; i++) {
                ring.driver.offer(0);
                ring.serveOne();
                assertEquals(i + 1, ring.driver.usedIndex());
                ring.ram.putU16(ring.driver.used() + 2, 0x7777);
            }
        }
    }

    @Test
    void shouldTakeWhatTheIndexCoversAtTheTimeAndTheRestLater() {
        try (RingFixture ring = RingFixture.of(8).open()) {
            for (int i = 0; i < 8; i++) {
                ring.driver.descriptor(i, ring.readable(0, 1));
            }
            ring.driver.offer(0);
            ring.driver.offer(1);
            ring.queue.enter();
            assertTrue(ring.queue.poll(ring.chain));
            ring.queue.complete(ring.chain);
            ring.driver.offer(2);
            assertTrue(ring.queue.poll(ring.chain));
            ring.queue.complete(ring.chain);
            assertTrue(ring.queue.poll(ring.chain), "what was added in the same section is found by looking again");
            ring.queue.complete(ring.chain);
            assertFalse(ring.queue.poll(ring.chain));
            ring.queue.leave();
        }
    }

    @Test
    void shouldTakeWhatWasShownEvenIfTheDriverTakesItBack() {
        try (RingFixture ring = RingFixture.of(8).open()) {
            for (int i = 0; i < 8; i++) {
                ring.driver.descriptor(i, ring.readable(0, i + 1));
                ring.driver.stage(i);
            }
            ring.driver.showIndex(3);
            ring.queue.enter();
            for (int i = 0; i < 3; i++) {
                assertTrue(ring.queue.poll(ring.chain), "the index is read once a batch");
                assertEquals(i + 1, ring.chain.readableLength());
                ring.queue.complete(ring.chain);
                ring.driver.showIndex(0);
            }
            assertFalse(ring.queue.poll(ring.chain));
            ring.queue.leave();
            assertEquals(QueueFailure.AVAILABLE_INDEX_AHEAD, ring.queue.failure());
        }
    }
}
