// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.virtio4j.wire.AvailableRing;
import org.virtio4j.wire.UsedRing;

/** Sections 2.7.7 and 2.7.10: who notifies whom of what, with flags and with event indexes. */
class SplitRingSuppressionTest {

    private static final int SIZE = 16;

    // Used buffer notifications

    @Test
    void shouldNotifyByTheFlagAndIgnoreUsedEventWithoutEventIdx() {
        try (RingFixture ring = ring(false)) {
            ring.driver.usedEvent(0x8000);
            assertTrue(serve(ring, 1));
            ring.driver.availableFlags(AvailableRing.FLAG_NO_INTERRUPT);
            ring.driver.usedEvent(1);
            assertFalse(serve(ring, 1));
            ring.driver.availableFlags(0);
            ring.driver.usedEvent(0x4000);
            assertTrue(serve(ring, 3));
            ring.driver.availableFlags(0xfffe);
            assertTrue(serve(ring, 1), "only bit 0 counts");
            ring.driver.availableFlags(0xffff);
            assertFalse(serve(ring, 1));
        }
    }

    @Test
    void shouldReadTheFlagAfterTheIndexIsVisible() {
        try (RingFixture ring = ring(false)) {
            ring.driver.availableFlags(AvailableRing.FLAG_NO_INTERRUPT);
            offer(ring, 1);
            assertTrue(ring.poll());
            ring.complete(ring.chain);
            ring.driver.availableFlags(0);
            assertTrue(ring.queue.publish());
        }
    }

    @Test
    void shouldNotifyWhenUsedEventIsPassedAndIgnoreTheFlagWithEventIdx() {
        try (RingFixture ring = ring(true)) {
            ring.driver.usedEvent(2);
            assertFalse(serve(ring, 1), "0 used of the awaited index 2");
            assertFalse(serve(ring, 1));
            assertTrue(serve(ring, 1), "the buffer at index 2");
            assertFalse(serve(ring, 1), "used_event lies behind");
            ring.driver.usedEvent(4);
            ring.driver.availableFlags(AvailableRing.FLAG_NO_INTERRUPT);
            assertTrue(serve(ring, 1), "the flag means nothing");
        }
    }

    @Test
    void shouldNotifyOnceForABatchThatGoesOverUsedEvent() {
        for (int event = 0; event < 12; event++) {
            try (RingFixture ring = ring(true)) {
                serve(ring, 3);
                ring.driver.usedEvent(event);
                assertEquals(event >= 3 && event < 8, serve(ring, 5), "event " + event + " in a batch from 3 to 7");
                assertFalse(ring.queue.publish());
            }
        }
    }

    @Test
    void shouldDecideByTheFormulaOfTheSpecificationAroundTheWrap() {
        long seed = Long.getLong("virtio4j.seed", System.nanoTime());
        System.out.println("SplitRingSuppressionTest -Dvirtio4j.seed=" + seed);
        Random random = new Random(seed);
        try (RingFixture ring = ring(true)) {
            int used = 0;
            for (int round = 0; round < 40_000; round++) {
                int batch = 1 + random.nextInt(SIZE);
                int event = random.nextInt(4) == 0 ? random.nextInt(0x10000) : used + random.nextInt(2 * SIZE) - 8;
                ring.driver.usedEvent(event);
                boolean wanted = false;
                for (int i = 0; i < batch; i++) {
                    wanted |= ((used + i) & 0xffff) == (event & 0xffff);
                }
                int before = used;
                assertEquals(wanted, serve(ring, batch), () -> "event " + event + " after " + before);
                used += batch;
            }
            assertEquals(used & 0xffff, ring.driver.usedIndex());
        }
    }

    // Available buffer notifications

    @Test
    void shouldAskForNotificationsByTheFlagWithoutEventIdx() {
        try (RingFixture ring = ring(false)) {
            assertEquals(0, ring.driver.usedFlags());
            ring.queue.disableNotifications();
            assertEquals(UsedRing.FLAG_NO_NOTIFY, ring.driver.usedFlags());
            ring.queue.disableNotifications();
            assertEquals(UsedRing.FLAG_NO_NOTIFY, ring.driver.usedFlags());
            assertFalse(ring.queue.enableNotifications());
            assertEquals(0, ring.driver.usedFlags());
            assertEquals(0, ring.driver.availableEvent(), "a field that does not count is not touched");
            assertFalse(ring.queue.enableNotifications());
            assertEquals(0, ring.driver.usedFlags());
        }
    }

    @Test
    void shouldAskForNotificationsByAvailEventAndLeaveTheFlagZeroWithEventIdx() {
        try (RingFixture ring = ring(true)) {
            ring.queue.disableNotifications();
            assertEquals(0, ring.driver.usedFlags());
            serve(ring, 3);
            assertEquals(0, ring.driver.availableEvent(), "where it stood, the driver has passed it");
            assertFalse(ring.queue.enableNotifications());
            assertEquals(3, ring.driver.availableEvent(), "the next buffer");
            assertEquals(0, ring.driver.usedFlags());
            serve(ring, 5);
            ring.queue.disableNotifications();
            assertEquals(3, ring.driver.availableEvent());
            assertFalse(ring.queue.enableNotifications());
            assertEquals(8, ring.driver.availableEvent());
        }
    }

    @Test
    void shouldMoveAvailEventOverTheWrap() {
        try (RingFixture ring = ring(true)) {
            for (int done = 0; done < 0x10010; done += SIZE) {
                assertEquals(done & 0xffff, ring.driver.availableEvent());
                serve(ring, SIZE);
                assertFalse(ring.queue.enableNotifications());
            }
            assertEquals(0x10, ring.driver.availableEvent());
        }
    }

    @Test
    void shouldSayThatBuffersCameBeforeTheDriverCouldKnow() {
        for (boolean eventIdx : new boolean[] {false, true}) {
            try (RingFixture ring = ring(eventIdx)) {
                ring.queue.disableNotifications();
                serve(ring, 2);
                offer(ring, 1);
                assertTrue(ring.queue.enableNotifications());
                assertTrue(ring.queue.enableNotifications(), "until they are taken");
                assertTrue(ring.poll());
                assertFalse(ring.queue.enableNotifications());
                ring.complete(ring.chain);
                ring.queue.publish();
                assertFalse(ring.queue.enableNotifications());
            }
        }
    }

    @Test
    void shouldSayThatBuffersCameWhenTheyWereSeenButNotTaken() {
        for (boolean eventIdx : new boolean[] {false, true}) {
            try (RingFixture ring = ring(eventIdx)) {
                offer(ring, 3);
                assertTrue(ring.poll());
                assertTrue(ring.queue.enableNotifications());
                assertEquals(eventIdx ? 1 : 0, ring.driver.availableEvent());
            }
        }
    }

    @Test
    void shouldNotSendADeviceRoundForEverWhenTheRingIsBroken() {
        for (boolean eventIdx : new boolean[] {false, true}) {
            try (RingFixture ring = ring(eventIdx)) {
                ring.driver.showIndex(SIZE + 1);
                ring.assertFails(QueueFailure.AVAILABLE_INDEX_AHEAD);
                assertFalse(ring.queue.enableNotifications(), "there is nothing that could be taken");
            }
        }
    }

    private static RingFixture ring(boolean eventIdx) {
        RingFixture ring = RingFixture.of(SIZE).eventIdx(eventIdx).open();
        for (int i = 0; i < SIZE; i++) {
            ring.driver.descriptor(i, ring.writable(0, 8));
        }
        return ring;
    }

    private static void offer(RingFixture ring, int count) {
        for (int i = 0; i < count; i++) {
            ring.driver.stage(ring.driver.availableIndex() % SIZE);
        }
        ring.driver.show();
    }

    /** Serves a batch and publishes it once. */
    private static boolean serve(RingFixture ring, int count) {
        offer(ring, count);
        ring.queue.enter();
        for (int i = 0; i < count; i++) {
            assertTrue(ring.queue.poll(ring.chain));
            ring.queue.complete(ring.chain);
        }
        ring.queue.leave();
        return ring.queue.publish();
    }
}
