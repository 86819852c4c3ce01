// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.fixture.PageTable;
import org.virtio4j.fixture.Parked;

/** A queue that the life cycle closes: nothing of it reaches guest memory afterwards. And what no device may do. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SplitRingCloseTest {

    private final MemorySegment host = Arena.ofAuto().allocate(64);

    @Test
    void shouldWaitForTheSectionWhenItIsClosedFromAnotherThread() {
        try (RingFixture ring = two()) {
            Chain chain = new Chain();
            Runnable take = () -> {
                ring.queue.enter();
                assertTrue(ring.queue.poll(chain));
            };
            Runnable finish = () -> {
                // Begun before the close, so all of it counts.
                assertEquals(DmaResult.OK, chain.write(0, host.fill((byte) 5), 0, 8));
                ring.queue.complete(chain);
                ring.queue.leave();
            };
            Thread closer = new Thread(ring.queue::close, "closer");
            try (Parked device = Parked.between(take, finish)) {
                closer.start();
                Parked.until(() -> closer.getState() == Thread.State.TIMED_WAITING);
                assertTrue(closer.isAlive(), "close came back while a section was open");
                device.letGo();
            }
            Parked.finish(closer);
            assertEquals(5, ring.ram.u8(ring.buffers));
            assertEquals(1, ring.driver.usedLength(0) / 8);
            assertFalse(ring.queue.publish(), "the index belongs to a new section, which is too late");
            assertEquals(0, ring.driver.usedIndex());
        }
    }

    @Test
    void shouldDropWhatComesAfterTheClose() {
        try (RingFixture ring = two()) {
            Chain held = new Chain();
            assertTrue(ring.poll(held));
            ring.queue.close();
            assertFalse(ring.poll());
            ring.queue.enter();
            assertEquals(DmaResult.CLOSED, held.write(0, host.fill((byte) 5), 0, 8));
            assertEquals(0, held.writtenLength());
            ring.queue.complete(held);
            ring.queue.leave();
            assertFalse(ring.queue.publish());
            ring.queue.disableNotifications();
            assertFalse(ring.queue.enableNotifications());
            assertEquals(0, ring.ram.u8(ring.buffers), "data of before the close landed in memory");
            assertEquals(0, ring.driver.usedId(0) | ring.driver.usedLength(0), "an element was placed");
            assertEquals(0, ring.driver.usedIndex());
            assertEquals(0, ring.driver.usedFlags());
            assertEquals(QueueFailure.NONE, ring.queue.failure(), "closing is no failure of the driver");
            ring.queue.close();
        }
    }

    @Test
    void shouldNotPublishWhatWasCompletedBeforeTheClose() {
        try (RingFixture ring = two()) {
            assertTrue(ring.poll());
            ring.complete(ring.chain);
            ring.queue.close();
            assertFalse(ring.queue.publish());
            assertEquals(0, ring.driver.usedIndex());
        }
    }

    @Test
    void shouldNotTranslateAfterTheClose() {
        try (RingFixture ring = RingFixture.of(8).shuffled(new Random(1)).open()) {
            PageTable table = Objects.requireNonNull(ring.table);
            ring.driver.chain(0, ring.writable(0, 8));
            ring.driver.offer(0);
            assertTrue(ring.poll());
            ring.queue.close();
            table.awaitGracePeriod();
            int before = table.translations();
            ring.write(0, 8, 1);
            ring.complete(ring.chain);
            ring.poll();
            ring.queue.publish();
            assertEquals(before, table.translations());
        }
    }

    @Test
    void shouldLetTheSlotServeANewQueueAfterTheClose() {
        try (RingFixture ring = two(); RingFixture next = two()) {
            assertTrue(ring.poll());
            ring.queue.close();
            ring.complete(ring.chain);
            assertTrue(next.poll(ring.chain));
            next.complete(ring.chain);
        }
    }

    // What a device does wrong

    @Test
    void shouldRefuseASlotThatIsInUseAndLoseNoBuffer() {
        try (RingFixture ring = two()) {
            assertTrue(ring.poll());
            ring.queue.enter();
            String message = message(() -> ring.queue.poll(ring.chain));
            assertTrue(message.contains("chain=in use; complete it before it takes another one"), message);
            assertTrue(ring.queue.poll(new Chain()), "the buffer is still there");
            assertThrows(IllegalStateException.class, () -> ring.queue.poll(ring.chain), "also with none available");
            ring.queue.leave();
            assertEquals(QueueFailure.NONE, ring.queue.failure(), "no fault of the driver");
        }
    }

    @Test
    void shouldRefuseToCompleteTwiceOrWhatIsNotItsOwn() {
        try (RingFixture ring = two(); RingFixture other = two()) {
            assertTrue(ring.poll());
            ring.queue.enter();
            assertTrue(message(() -> ring.queue.complete(new Chain())).contains("chain=empty"));
            ring.queue.leave();
            other.queue.enter();
            assertTrue(message(() -> other.queue.complete(ring.chain)).contains("chain=of another queue"));
            other.queue.leave();
            ring.complete(ring.chain);
            ring.queue.enter();
            assertTrue(message(() -> ring.queue.complete(ring.chain)).contains("chain=empty"));
            assertTrue(message(() -> ring.chain.read(0, host, 0, 0)).contains("chain=empty"));
            ring.queue.leave();
            ring.queue.publish();
            assertEquals(1, ring.driver.usedIndex());
        }
    }

    @Test
    void shouldRefuseToWorkOutsideASection() {
        try (RingFixture ring = two()) {
            assertTrue(message(() -> ring.queue.poll(ring.chain)).contains("call enter first"));
            assertTrue(ring.poll());
            assertTrue(message(() -> ring.queue.complete(ring.chain)).contains("call enter first"));
            assertTrue(message(() -> ring.chain.write(0, host, 0, 8)).contains("call enter first"));
            assertThrows(IllegalStateException.class, ring.queue::leave);
            ring.complete(ring.chain);
            ring.queue.publish();
            assertEquals(1, ring.driver.usedIndex(), "no completion was lost");
        }
    }

    @Test
    void shouldPublishInsideASectionToo() {
        try (RingFixture ring = two()) {
            assertTrue(ring.poll());
            ring.complete(ring.chain);
            ring.queue.enter();
            assertThrows(IllegalStateException.class, ring.queue::enter);
            ring.queue.disableNotifications();
            assertTrue(ring.queue.publish());
            assertTrue(ring.queue.enableNotifications(), "the second buffer is there");
            ring.queue.leave();
            assertFalse(ring.queue.publish());
        }
    }

    private static String message(Runnable mistake) {
        try {
            mistake.run();
            return "";
        } catch (IllegalStateException refused) {
            return String.valueOf(refused.getMessage());
        }
    }

    /** A ring with two buffers available. */
    private static RingFixture two() {
        RingFixture ring = RingFixture.of(8).open();
        ring.driver.chain(0, ring.writable(0, 8));
        ring.driver.chain(1, ring.writable(1, 8));
        ring.driver.offer(0);
        ring.driver.offer(1);
        return ring;
    }
}
