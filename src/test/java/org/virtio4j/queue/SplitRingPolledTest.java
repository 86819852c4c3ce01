// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.fixture.Seeds;
import org.virtio4j.wire.UsedRing;

/** Section 2.7.10, a queue that is polled: no driver that looks notifies, with flags and with event indexes. */
class SplitRingPolledTest {

    private static final int SIZE = 16;
    private static final int MASK = 0xffff;
    private static final int HALF = 0x8000;

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("2.7.10.2: the first section asks for silence, by the flag or, with EVENT_IDX, by avail_event alone")
    void shouldAskForSilenceInTheFirstSection(boolean eventIdx) {
        try (RingFixture ring = ring(SIZE, eventIdx)) {
            ring.queue.enter();
            ring.queue.leave();
            assertSilent(ring, eventIdx);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("2.7.10.2: nothing that a device calls takes it back")
    void shouldNeverAskForNotifications(boolean eventIdx) {
        try (RingFixture ring = ring(SIZE, eventIdx)) {
            assertFalse(ring.poll());
            ring.queue.enter();
            assertFalse(ring.queue.pollOrEnable(ring.chain));
            ring.driver.offer(0);
            ring.driver.offer(1);
            assertFalse(ring.queue.enableNotifications(), "there is nothing to look again for");
            assertEquals(2, ring.queue.handOver());
            assertTrue(ring.queue.pollOrEnable(ring.chain));
            ring.queue.complete(ring.chain);
            ring.queue.leave();
            ring.queue.publish();
            assertFalse(ring.queue.enableNotifications());
            ring.queue.disableNotifications();
            assertSilent(ring, eventIdx);
            ring.serveOne();
            assertSilent(ring, eventIdx);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("A look at the index says whether something is there, and takes nothing")
    void shouldSayWhetherSomethingIsThere(boolean eventIdx) {
        try (RingFixture ring = ring(SIZE, eventIdx)) {
            assertFalse(hasAvailable(ring));
            ring.driver.offer(3);
            assertTrue(hasAvailable(ring));
            assertTrue(hasAvailable(ring));
            ring.serveOne();
            assertFalse(hasAvailable(ring));
            assertThrows(IllegalStateException.class, ring.queue::hasAvailable);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("2.7.13.3.1: an index too far ahead is found by the look and breaks the queue")
    void shouldFindAnIndexTooFarAhead(boolean eventIdx) {
        try (RingFixture ring = ring(SIZE, eventIdx)) {
            ring.driver.showIndex(SIZE + 1);
            assertFalse(hasAvailable(ring));
            assertEquals(QueueFailure.AVAILABLE_INDEX_AHEAD, ring.queue.failure());
            ring.driver.showIndex(1);
            assertFalse(hasAvailable(ring));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("Memory that was exchanged may hold what was there before: silence is asked for again")
    void shouldAskAgainWhenMemoryWasExchanged(boolean eventIdx) {
        try (RingFixture ring = ring(SIZE, eventIdx)) {
            ring.driver.offer(0);
            ring.serveOne();
            ring.ram.putU16(ring.driver.used() + UsedRing.FLAGS, 0);
            ring.ram.putU16(ring.driver.used() + UsedRing.availEvent(SIZE), 1);
            ring.memory.addAnonymous(0, RingFixture.PAGE);
            assertFalse(hasAvailable(ring));
            assertEquals(eventIdx ? 0 : UsedRing.FLAG_NO_NOTIFY, ring.driver.usedFlags());
            assertEquals(eventIdx ? 0x8001 : 1, ring.driver.availableEvent());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, SIZE, 0x4000, 0x8000})
    @DisplayName("2.7.10.1: avail_event is never where a driver adds, however full the ring and whenever it looks")
    void shouldKeepAvailEventAwayFromWhatADriverAdds(int size) {
        Random random = new Random(Seeds.next());
        // A driver that fills the largest ring as a whole before it looks has used every second index there is.
        int most = Math.min(size, HALF - 1);
        try (RingFixture ring = ring(size, true)) {
            ring.queue.enter();
            ring.queue.leave();
            int undecided = 0;
            for (int total = 0; total < 0x4_0000; ) {
                int added = random.nextInt(4) == 0 ? most : 1 + random.nextInt(most);
                total += added;
                undecided += added;
                stage(ring, added);
                boolean late = random.nextBoolean();
                if (late) {
                    serveAll(ring);
                }
                // The decision may be about several rounds at once.
                if (random.nextInt(3) != 0 || undecided + most >= HALF) {
                    assertFalse(notifies(ring, undecided), "after " + total + ", for " + undecided);
                    undecided = 0;
                }
                if (!late) {
                    serveAll(ring);
                }
            }
            assertEquals(QueueFailure.NONE, ring.queue.failure());
            assertEquals(0, ring.driver.usedFlags());
        }
    }

    /** Section 2.7.10.1, for all that was added since a decision. */
    private static boolean notifies(RingFixture ring, int undecided) {
        return ((ring.driver.availableIndex() - ring.driver.availableEvent() - 1) & MASK) < undecided;
    }

    private static void stage(RingFixture ring, int count) {
        for (int i = 0; i < count; i++) {
            ring.driver.stage(ring.driver.availableIndex() % ring.driver.size());
        }
        ring.driver.show();
    }

    private static void serveAll(RingFixture ring) {
        ring.queue.enter();
        while (ring.queue.poll(ring.chain)) {
            ring.queue.complete(ring.chain);
        }
        ring.queue.leave();
        ring.queue.publish();
    }

    private static boolean hasAvailable(RingFixture ring) {
        ring.queue.enter();
        boolean there = ring.queue.hasAvailable();
        ring.queue.leave();
        return there;
    }

    private static void assertSilent(RingFixture ring, boolean eventIdx) {
        assertEquals(eventIdx ? 0 : UsedRing.FLAG_NO_NOTIFY, ring.driver.usedFlags());
        assertEquals(eventIdx ? 0x8000 : 0, ring.driver.availableEvent());
    }

    private static RingFixture ring(int size, boolean eventIdx) {
        RingFixture ring = RingFixture.of(size).eventIdx(eventIdx).polled().open();
        for (int i = 0; i < size; i++) {
            ring.driver.descriptor(i, ring.writable(0, 8));
        }
        return ring;
    }
}
