// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.virtio4j.fixture.DriverRing.Buffer.readable;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.fixture.DriverRing.Buffer;
import org.virtio4j.fixture.Parked;
import org.virtio4j.wire.SplitDescriptor;

/** Every rule a driver can break: the queue says which, takes nothing more, and gives back what it has. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SplitRingHostileTest {

    private static final long PAGE = RingFixture.PAGE;

    // Available ring

    @ParameterizedTest
    @ValueSource(ints = {9, 10, 0x7fff, 0x8000, 0xffff})
    void shouldRefuseAnIndexThatIsTooFarAhead(int index) {
        try (RingFixture ring = RingFixture.of(8).open()) {
            ring.driver.showIndex(index);
            ring.assertFails(QueueFailure.AVAILABLE_INDEX_AHEAD);
        }
    }

    @Test
    void shouldAcceptAnIndexThatIsAFullRingAhead() {
        try (RingFixture ring = RingFixture.of(8).open()) {
            ring.driver.showIndex(8);
            // All eight entries name head 0.
            assertTrue(ring.poll());
        }
    }

    @Test
    void shouldCountTheBuffersItHoldsWhenItJudgesTheIndex() {
        try (RingFixture ring = RingFixture.of(8).open()) {
            Chain[] held = new Chain[8];
            for (int i = 0; i < 8; i++) {
                held[i] = new Chain();
                ring.driver.offer(i);
                assertTrue(ring.poll(held[i]));
            }
            ring.complete(held[5]);
            ring.queue.publish();
            ring.driver.offer(5);
            assertTrue(ring.poll(held[5]), "one was given back, so one may come");
            ring.driver.stage(0);
            ring.driver.show();
            ring.assertFails(QueueFailure.AVAILABLE_INDEX_AHEAD);
        }
    }

    @Test
    void shouldRefuseAnIndexThatGoesBack() {
        try (RingFixture ring = RingFixture.of(8).open()) {
            ring.driver.offer(0);
            ring.driver.offer(1);
            ring.serveOne();
            ring.serveOne();
            ring.driver.showIndex(1);
            ring.assertFails(QueueFailure.AVAILABLE_INDEX_AHEAD);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {8, 9, 0x7fff, 0x8000, 0xffff})
    void shouldRefuseAHeadOutsideTheTable(int head) {
        try (RingFixture ring = RingFixture.of(8).open()) {
            ring.driver.offer(head);
            ring.assertFails(QueueFailure.HEAD_OUT_OF_RANGE);
        }
    }

    @Test
    void shouldRefuseAHeadThatItHolds() {
        try (RingFixture ring = RingFixture.of(128).open()) {
            Chain held = new Chain();
            ring.driver.offer(70);
            assertTrue(ring.poll(held));
            ring.driver.offer(6);
            ring.serveOne();
            ring.driver.offer(70);
            ring.assertFails(QueueFailure.HEAD_IN_FLIGHT);
        }
    }

    @Test
    void shouldAcceptAHeadAgainOnceItWasUsed() {
        try (RingFixture ring = RingFixture.of(128).open()) {
            for (int i = 0; i < 300; i++) {
                ring.driver.offer(70);
                ring.serveOne();
            }
            assertEquals(QueueFailure.NONE, ring.queue.failure());
        }
    }

    // Descriptors

    @ParameterizedTest
    @ValueSource(ints = {8, 9, 0x8000, 0xffff})
    void shouldRefuseANextOutsideTheTable(int next) {
        try (RingFixture ring = RingFixture.of(8).open()) {
            ring.driver.descriptor(2, ring.readable(0, 1).next(next));
            ring.driver.offer(2);
            ring.assertFails(QueueFailure.NEXT_OUT_OF_RANGE);
        }
    }

    @Test
    void shouldEndACircle() {
        try (RingFixture ring = RingFixture.of(8).open()) {
            ring.driver.descriptor(2, ring.readable(0, 1).next(2));
            ring.driver.offer(2);
            ring.assertFails(QueueFailure.CHAIN_TOO_LONG);
        }
    }

    @Test
    void shouldEndACircleOfEmptyDescriptors() {
        try (RingFixture ring = RingFixture.of(8).open()) {
            ring.driver.descriptor(2, readable(0, 0).next(5));
            ring.driver.descriptor(5, readable(0, 0).next(2));
            ring.driver.offer(2);
            ring.assertFails(QueueFailure.CHAIN_TOO_LONG);
        }
    }

    @Test
    void shouldRefuseReadableAfterWritable() {
        try (RingFixture ring = RingFixture.of(8).open()) {
            ring.driver.chain(0, ring.readable(0, 1), ring.writable(1, 1), ring.readable(2, 1));
            ring.driver.offer(0);
            ring.assertFails(QueueFailure.READABLE_AFTER_WRITABLE);
        }
    }

    // The ring itself

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void shouldFailWhenAPartOfTheRingIsNotThere(int part) {
        try (RingFixture ring = RingFixture.of(8).open()) {
            long nowhere = 0x7000_0000_0000L;
            SplitQueue lost = new SplitQueue(new QueueSettings(8, part == 0 ? nowhere : ring.driver.descriptors(),
                    part == 1 ? nowhere : ring.driver.available(), part == 2 ? nowhere : ring.driver.used(), false,
                    false, false), DmaSpace.identity(ring.memory).open("lost"));
            ring.driver.offer(0);
            lost.enter();
            assertFalse(lost.poll(ring.chain));
            assertEquals(QueueFailure.RING_UNREACHABLE, lost.failure());
            lost.leave();
            assertFalse(lost.publish());
            assertFalse(lost.enableNotifications());
            lost.disableNotifications();
            assertEquals(QueueFailure.RING_UNREACHABLE, lost.failure());
        }
    }

    // After a failure

    @Test
    void shouldStillCompleteWhatItTookBefore() {
        try (RingFixture ring = RingFixture.of(8).open()) {
            Chain first = new Chain();
            Chain second = new Chain();
            ring.driver.chain(0, ring.writable(0, 4));
            ring.driver.chain(1, ring.writable(1, 4));
            ring.driver.offer(0);
            ring.driver.offer(1);
            assertTrue(ring.poll(first));
            assertTrue(ring.poll(second));
            ring.driver.offer(99);
            ring.assertFails(QueueFailure.HEAD_OUT_OF_RANGE);

            ring.queue.enter();
            assertEquals(DmaResult.OK, second.write(0, MemorySegment.ofArray(new byte[] {1, 2, 3, 4}), 0, 4));
            ring.queue.complete(second);
            ring.queue.complete(first);
            ring.queue.leave();
            assertTrue(ring.queue.publish());
            assertEquals(2, ring.driver.usedIndex());
            assertEquals(1, ring.driver.usedId(0));
            assertEquals(4, ring.driver.usedLength(0));
            assertEquals(0, ring.driver.usedId(1));
            assertEquals(0x0403_0201, ring.ram.i32(ring.buffers + PAGE));
            assertEquals(QueueFailure.HEAD_OUT_OF_RANGE, ring.queue.failure(), "the first reason stays");
        }
    }

    @Test
    void shouldLeaveTheSlotEmptyWhenAChainIsRefused() {
        try (RingFixture ring = RingFixture.of(8).open(); RingFixture other = RingFixture.of(8).open()) {
            ring.driver.chain(0, ring.readable(0, 1), ring.readable(0, 1).next(8));
            ring.driver.descriptor(1, ring.readable(0, 1).next(8));
            ring.driver.offer(0);
            ring.assertFails(QueueFailure.NEXT_OUT_OF_RANGE);
            other.driver.chain(0, other.readable(0, 5));
            other.driver.offer(0);
            assertTrue(other.poll(ring.chain), "the slot can be used by another queue");
            assertEquals(5, ring.chain.readableLength());
        }
    }

    @Test
    void shouldNotWakeUpWhenTheDriverMendsTheRing() {
        try (RingFixture ring = RingFixture.of(8).open()) {
            ring.driver.showIndex(9);
            ring.assertFails(QueueFailure.AVAILABLE_INDEX_AHEAD);
            ring.driver.showIndex(1);
            ring.assertFails(QueueFailure.AVAILABLE_INDEX_AHEAD);
        }
    }

    // What was checked is what is used

    @Test
    void shouldUseWhatItCheckedWhenTheDriverChangesTheChainAfterwards() {
        try (RingFixture ring = RingFixture.of(8).indirect().open()) {
            long table = ring.buffers + 4 * PAGE;
            ring.driver.chain(0, ring.readable(0, 4),
                    ring.driver.table(table, ring.readable(1, 4), ring.writable(2, 4)));
            ring.ram.putI32(ring.buffers, 0x1111_1111);
            ring.ram.putI32(ring.buffers + PAGE, 0x2222_2222);
            ring.driver.offer(0);
            assertTrue(ring.poll());

            Buffer evil = Buffer.readable(0x6666_0000L, 0x7fff_ffff);
            ring.driver.descriptor(0, evil.next(0));
            ring.driver.table(table, evil, evil);
            assertEquals(8, ring.chain.readableLength());
            assertEquals(4, ring.chain.writableLength());
            byte[] bytes = ring.read(0, 8);
            assertEquals(0x11, bytes[3]);
            assertEquals(0x22, bytes[4]);
            assertEquals(DmaResult.OK, ring.write(0, 4, 0x33));
            assertEquals(0x3333_3333, ring.ram.i32(ring.buffers + 2 * PAGE));
            ring.complete(ring.chain);
            ring.queue.publish();
            assertEquals(4, ring.driver.usedLength(0));
            assertEquals(0, ring.driver.usedId(0));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldSeeEachDescriptorOnceWhenTheDriverChangesItMeanwhile(boolean inTable) {
        // The driver flips one descriptor between two forms; a mix of their length and flags would be a double fetch.
        try (RingFixture ring = RingFixture.of(8).indirect().open()) {
            long table = ring.buffers + 4 * PAGE;
            Buffer[] forms = {ring.readable(0, 32), ring.writable(1, 16)};
            Buffer reference = ring.driver.table(table, forms[0]);
            ring.driver.descriptor(0, inTable ? reference : forms[0]);
            long at = (inTable ? table : ring.driver.descriptors()) + SplitDescriptor.LEN;
            long readable = 32;
            long writable = 16 | (long) SplitDescriptor.FLAG_WRITE << Integer.SIZE;
            AtomicBoolean done = new AtomicBoolean();
            Thread driver = new Thread(() -> {
                for (long i = 0; !done.get(); i++) {
                    ring.ram.putI64(at, i % 2 == 0 ? writable : readable);
                }
            }, "driver");
            driver.start();
            long both = 0;
            for (int i = 0; i < 50_000; i++) {
                ring.driver.offer(0);
                assertTrue(ring.poll());
                long read = ring.chain.readableLength();
                long written = ring.chain.writableLength();
                assertTrue((read == 32 && written == 0) || (read == 0 && written == 16), read + " " + written);
                both |= read | written;
                ring.complete(ring.chain);
                ring.queue.publish();
            }
            done.set(true);
            Parked.finish(driver);
            assertTrue(both != 0);
        }
    }

    @Test
    void shouldNeverThrowWhateverTheRingContains() {
        long seed = Long.getLong("virtio4j.seed", System.nanoTime());
        System.out.println("SplitRingHostileTest -Dvirtio4j.seed=" + seed);
        Random random = new Random(seed);
        MemorySegment host = Arena.ofAuto().allocate(256);
        for (int round = 0; round < 600; round++) {
            RingFixture.Settings settings = RingFixture.of(1 << random.nextInt(5)).eventIdx(random.nextBoolean());
            if (random.nextBoolean()) {
                settings.shuffled(random).regions(3);
            }
            if (random.nextInt(4) != 0) {
                settings.indirect();
            }
            try (RingFixture ring = settings.open()) {
                scramble(ring, random);
                int taken = 0;
                for (int i = 0; i < 40; i++) {
                    ring.queue.disableNotifications();
                    ring.queue.enter();
                    while (taken < 100 && ring.queue.poll(ring.chain)) {
                        taken++;
                        ring.chain.read(0, host, 0, Math.min(256, ring.chain.readableLength()));
                        ring.chain.write(0, host, 0, Math.min(256, ring.chain.writableLength()));
                        assertTrue(ring.chain.writtenLength() <= ring.chain.writableLength());
                        ring.queue.complete(ring.chain);
                    }
                    ring.queue.leave();
                    ring.queue.publish();
                    ring.queue.enableNotifications();
                    if (random.nextInt(4) == 0) {
                        scramble(ring, random);
                    }
                }
            }
        }
    }

    /** Fills the ring with values that are nearly right, or not at all. */
    private static void scramble(RingFixture ring, Random random) {
        int size = ring.driver.size();
        for (int i = 0; i < size; i++) {
            ring.driver.descriptor(i, buffer(ring, random, size));
        }
        for (int i = 0; i < 8; i++) {
            ring.driver.table(ring.buffers + 2 * PAGE + random.nextInt(2 * (int) PAGE), buffer(ring, random, 4));
        }
        for (int i = random.nextInt(size + 1); i > 0; i--) {
            ring.driver.stage(random.nextInt(16) == 0 ? random.nextInt(0x10000) : random.nextInt(size));
        }
        if (random.nextInt(8) == 0) {
            ring.driver.showIndex(random.nextInt(0x10000));
        } else {
            ring.driver.show();
        }
    }

    private static Buffer buffer(RingFixture ring, Random random, int size) {
        long address = random.nextInt(6) == 0 ? random.nextLong() : ring.buffers + random.nextInt(6 * (int) PAGE);
        int length = random.nextInt(6) == 0 ? random.nextInt() : random.nextInt(20) * 16;
        int flags = random.nextInt(20) == 0 ? random.nextInt(0x10000) : random.nextInt(8);
        int next = random.nextInt(10) == 0 ? random.nextInt(0x10000) : random.nextInt(size);
        return new Buffer(address, length, flags, next);
    }
}
