// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.fixture.DriverRing.Buffer;
import org.virtio4j.fixture.PageTable;
import org.virtio4j.fixture.Parked;
import org.virtio4j.vmm.Access;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.vmm.MemoryRegion;
import org.virtio4j.vmm.RegionKind;
import org.virtio4j.wire.SplitDescriptor;

/** A ring behind a translator is a lease: found once for each generation, and found anew when something was taken. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SplitRingLeaseTest {

    private static final long PAGE = GuestMemory.PAGE_SIZE;
    private static final int SIZE = 1_024;

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldRunARingWhosePagesLieInRandomOrder(boolean eventIdx) {
        Random random = new Random(7);
        // Every part crosses pages, and each page is a region of its own.
        try (RingFixture ring = RingFixture.of(SIZE).eventIdx(eventIdx).indirect().shift(0xff0).gap(0xc02)
                .regions(1).shuffled(random).open()) {
            for (int i = 0; i < SIZE; i++) {
                ring.driver.descriptor(i, ring.writable(i % 16, 1 + i));
            }
            int used = 0;
            while (used < 70_000) {
                int batch = 1 + random.nextInt(SIZE);
                for (int i = 0; i < batch; i++) {
                    ring.driver.stage((used + i) * 5 % SIZE);
                }
                ring.driver.show();
                ring.driver.usedEvent(used + batch - 1);
                ring.queue.enter();
                for (int i = 0; i < batch; i++) {
                    assertTrue(ring.queue.poll(ring.chain), () -> ring.queue.failure().toString());
                    assertEquals(1 + (used + i) * 5 % SIZE, ring.chain.writableLength());
                    ring.queue.complete(ring.chain);
                }
                ring.queue.leave();
                assertTrue(ring.queue.publish());
                assertFalse(ring.queue.enableNotifications());
                for (int i = 0; i < batch; i += 11) {
                    assertEquals((used + i) * 5 % SIZE, ring.driver.usedId((used + i) & 0xffff));
                }
                used += batch;
                assertEquals(used & 0xffff, ring.driver.usedIndex());
                assertEquals(eventIdx ? used & 0xffff : 0, ring.driver.availableEvent());
            }
        }
    }

    @Test
    void shouldNotTakeTwoRegionsForOneWhenTheirOffsetsFit() {
        try (RingFixture ring = shuffled()) {
            PageTable table = Objects.requireNonNull(ring.table);
            long spare = RingFixture.START + 100 * PAGE;
            ring.memory.addAnonymous(spare, 2 * PAGE);
            ring.memory.addAnonymous(spare + 2 * PAGE, 2 * PAGE);
            // The first page of one region, then the second of another: the offsets go on, the memory does not.
            table.redirect(ring.driver.descriptors(), spare);
            table.redirect(ring.driver.descriptors() + PAGE, spare + 3 * PAGE);
            ring.driver.descriptor(0, ring.writable(0, 10));
            ring.driver.descriptor(256, ring.writable(0, 20));
            for (int head : new int[] {0, 256, 0}) {
                ring.driver.offer(head);
                assertTrue(ring.poll(), () -> ring.queue.failure().toString());
                assertEquals(head == 0 ? 10 : 20, ring.chain.writableLength());
                ring.complete(ring.chain);
            }
        }
    }

    @Test
    void shouldFindTheRingOnceForEachGeneration() {
        try (RingFixture ring = shuffled()) {
            PageTable table = Objects.requireNonNull(ring.table);
            assertFalse(ring.poll());
            int perResolution = table.translations();
            // 4 pages of descriptors, one of the available ring, 3 of the used ring, at most one more each.
            assertTrue(perResolution >= 8 && perResolution <= 11, "translations: " + perResolution);
            for (int i = 0; i < 100; i++) {
                assertFalse(ring.poll());
                ring.queue.publish();
                ring.queue.disableNotifications();
                ring.queue.enableNotifications();
            }
            assertEquals(perResolution, table.translations(), "found again though nothing had moved");
            table.awaitGracePeriod();
            assertFalse(ring.poll());
            assertFalse(ring.poll());
            assertEquals(2 * perResolution, table.translations(), "a generation that moved is looked at, once");
            ring.memory.addAnonymous(0, PAGE);
            assertFalse(ring.poll());
            assertFalse(ring.poll());
            assertEquals(3 * perResolution, table.translations(), "so is that of memory");
        }
    }

    @Test
    void shouldNotTranslateForBatchesAtAllBesideTheirBuffers() {
        try (RingFixture ring = shuffled()) {
            for (int i = 0; i < SIZE; i++) {
                ring.driver.descriptor(i, ring.writable(i % 16, 8));
            }
            PageTable table = Objects.requireNonNull(ring.table);
            ring.poll();
            int before = table.translations();
            for (int i = 0; i < 500; i++) {
                ring.driver.offer(i);
                ring.serveOne();
            }
            assertEquals(before, table.translations());
            ring.driver.offer(500);
            assertTrue(ring.poll());
            assertEquals(DmaResult.OK, ring.write(0, 8, 1));
            assertEquals(before + 1, table.translations());
        }
    }

    @Test
    void shouldFollowARingThatWasMovedToOtherPages() {
        try (RingFixture ring = shuffled()) {
            PageTable table = Objects.requireNonNull(ring.table);
            long spare = RingFixture.START + 100 * PAGE;
            ring.memory.addAnonymous(spare, 8 * PAGE);
            for (int i = 0; i < SIZE; i++) {
                ring.driver.descriptor(i, ring.writable(0, i + 1));
            }
            ring.driver.offer(3);
            ring.serveOne();

            // One page of each part moves with its content; what stays behind is poisoned, and must stay so.
            long[] pages = {ring.driver.descriptors(), ring.driver.available(), ring.driver.used()};
            long[] old = new long[3];
            for (int i = 0; i < 3; i++) {
                long page = pages[i] & -PAGE;
                old[i] = table.gpa(page);
                page(ring, spare + i * PAGE).copyFrom(page(ring, old[i]));
                table.redirect(page, spare + i * PAGE);
                fill(ring, old[i], 0xee);
            }
            for (int i = 4; i < 100; i++) {
                ring.driver.offer(i);
                assertTrue(ring.poll(), () -> ring.queue.failure().toString());
                assertEquals(i + 1, ring.chain.writableLength());
                ring.complete(ring.chain);
                ring.queue.publish();
                assertEquals(i, ring.driver.usedId(i - 3));
            }
            for (long page : old) {
                assertFilled(ring, page, 0xee);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void shouldStopWhenAPartIsUnmappedUnderTheLiveRing(int part) {
        try (RingFixture ring = shuffled()) {
            PageTable table = Objects.requireNonNull(ring.table);
            Chain held = new Chain();
            Chain other = new Chain();
            ring.driver.chain(0, ring.writable(0, 8));
            ring.driver.chain(1, ring.writable(1, 8));
            ring.driver.offer(0);
            ring.driver.offer(1);
            ring.driver.offer(2);
            assertTrue(ring.poll(held));
            assertTrue(ring.poll(other));
            long page = new long[] {ring.driver.descriptors(), ring.driver.available(), ring.driver.used()}[part];
            table.redirect(page & -PAGE, PageTable.NOTHING);

            assertFalse(ring.poll());
            assertEquals(QueueFailure.RING_UNREACHABLE, ring.queue.failure());
            assertEquals(page, table.faults().getFirst(), "the translator hears of it");
            ring.complete(held);
            assertFalse(ring.queue.publish(), "there is nothing to publish into");
            assertFalse(ring.queue.enableNotifications());
            table.redirect(page & -PAGE, RingFixture.START);
            assertFalse(ring.poll(), "it stays so until the queue is reset");
            ring.complete(other);
            assertFalse(ring.queue.publish(), "also for what was taken before");
            assertEquals(QueueFailure.RING_UNREACHABLE, ring.queue.failure());
        }
    }

    @Test
    void shouldStopWhenTheUsedRingBecomesReadOnly() {
        try (RingFixture ring = shuffled()) {
            ring.driver.chain(0, ring.writable(0, 8));
            ring.driver.offer(0);
            Objects.requireNonNull(ring.table).permit(ring.driver.used() & -PAGE, Access.READ.mask());
            ring.assertFails(QueueFailure.RING_UNREACHABLE);
        }
    }

    @Test
    void shouldRunWhenTheDriversPartsAreReadOnly() {
        try (RingFixture ring = RingFixture.of(16).gap(8_192).shuffled(new Random(1)).open()) {
            PageTable table = Objects.requireNonNull(ring.table);
            ring.driver.chain(0, ring.writable(0, 8));
            table.permit(ring.driver.descriptors() & -PAGE, Access.READ.mask());
            table.permit(ring.driver.available() & -PAGE, Access.READ.mask());
            table.permit(ring.driver.used() & -PAGE, Access.WRITE.mask());
            ring.driver.offer(0);
            ring.serveOne();
            assertEquals(1, ring.driver.usedIndex());
        }
    }

    @Test
    void shouldSayThatTheRingIsGoneEvenWhenAnotherRuleWasBrokenBefore() {
        try (RingFixture ring = shuffled()) {
            ring.driver.offer(SIZE);
            ring.assertFails(QueueFailure.HEAD_OUT_OF_RANGE);
            Objects.requireNonNull(ring.table).redirect(ring.driver.used() & -PAGE, PageTable.NOTHING);
            ring.assertFails(QueueFailure.RING_UNREACHABLE);
        }
    }

    @Test
    void shouldStopWhenTheMemoryOfTheRingIsRemoved() {
        try (RingFixture ring = RingFixture.of(16).open()) {
            ring.driver.chain(0, ring.writable(0, 8));
            ring.driver.offer(0);
            Chain held = new Chain();
            assertTrue(ring.poll(held));
            MemoryRegion region = Objects.requireNonNull(ring.memory.map().find(ring.driver.used()));
            ring.memory.remove(region, Duration.ofSeconds(10));
            // The segment is closed: one touch of it would throw.
            assertThrows(IllegalStateException.class, () -> region.segment().get(
                    ValueLayout.JAVA_BYTE, 0));
            ring.complete(held);
            assertFalse(ring.poll());
            assertFalse(ring.queue.publish());
            assertEquals(QueueFailure.RING_UNREACHABLE, ring.queue.failure());
        }
    }

    @Test
    void shouldLookAgainWhenTheMemoryOfTheRingWasOnlyExchanged() {
        try (RingFixture ring = RingFixture.of(16).open(); Arena arena = Arena.ofShared()) {
            ring.driver.chain(0, ring.writable(0, 8));
            ring.driver.offer(0);
            MemoryRegion region = Objects.requireNonNull(ring.memory.map().find(ring.driver.used()));
            MemorySegment kept = arena.allocate(region.segment().byteSize(), PAGE).copyFrom(region.segment());
            ring.memory.beginExchange();
            ring.memory.remove(region, Duration.ofSeconds(10));
            assertFalse(ring.poll());
            assertEquals(QueueFailure.NONE, ring.queue.failure());
            ring.memory.add(region.start(), kept, RegionKind.RAM, () -> { });
            ring.serveOne();
            assertEquals(1, ring.driver.usedIndex());
        }
    }

    @Test
    void shouldStopWhenTheExchangeIsOverAndTheRingIsStillGone() {
        try (RingFixture ring = RingFixture.of(16).open()) {
            MemoryRegion region = Objects.requireNonNull(ring.memory.map().find(ring.driver.used()));
            ring.memory.beginExchange();
            ring.memory.remove(region, Duration.ofSeconds(10));
            assertFalse(ring.poll());
            ring.memory.endExchange();
            assertEquals(QueueFailure.NONE, ring.queue.failure(), "nobody has looked");
            assertFalse(ring.poll());
            assertEquals(QueueFailure.RING_UNREACHABLE, ring.queue.failure());
        }
    }

    @Test
    void shouldTakeAChainAnewWhoseTableWasOnlyExchanged() {
        long table = 0x1000;
        try (RingFixture ring = RingFixture.of(16).indirect().open()) {
            ring.driver.chain(0, new Buffer(table, 16, SplitDescriptor.FLAG_INDIRECT, 0));
            ring.driver.offer(0);
            ring.memory.beginExchange();
            assertFalse(ring.poll());
            assertFalse(ring.poll());
            assertEquals(QueueFailure.NONE, ring.queue.failure());
            ring.memory.addAnonymous(0, 4 * PAGE);
            ring.memory.endExchange();
            ring.driver.table(table, ring.writable(1, 24));
            assertTrue(ring.poll(), () -> ring.queue.failure().toString());
            assertEquals(24, ring.chain.writableLength());
        }
    }

    @Test
    void shouldGoOnWhenOtherMemoryComesAndGoes() {
        try (RingFixture ring = RingFixture.of(16).open()) {
            ring.driver.chain(0, ring.writable(0, 8));
            for (int i = 0; i < 50; i++) {
                MemoryRegion other = ring.memory.addAnonymous(0, PAGE);
                ring.driver.offer(0);
                ring.serveOne();
                ring.memory.remove(other, Duration.ofSeconds(10));
                ring.driver.offer(0);
                ring.serveOne();
            }
            assertEquals(100, ring.driver.usedIndex());
        }
    }

    @Test
    void shouldNotTouchARingAfterItsUnmapReturned() {
        // One thread serves the ring, the other moves its used ring between two pages and poisons the one it left.
        try (RingFixture ring = RingFixture.of(16).gap(2 * PAGE).shuffled(new Random(2)).open()) {
            PageTable table = Objects.requireNonNull(ring.table);
            long page = ring.driver.used() & -PAGE;
            long first = table.gpa(page);
            long second = RingFixture.START + 100 * PAGE;
            ring.memory.addAnonymous(second, PAGE);
            ring.driver.chain(0, ring.writable(0, 8));
            AtomicBoolean stop = new AtomicBoolean();
            AtomicBoolean broken = new AtomicBoolean();
            Thread device = new Thread(() -> serve(ring, stop, broken), "device");
            device.start();
            long now = first;
            for (int i = 0; i < 2_000 && !broken.get(); i++) {
                long next = now == first ? second : first;
                fill(ring, next, 0);
                table.redirect(page, next);
                fill(ring, now, 0xee);
                for (int k = 0; k < i % 64; k++) {
                    Thread.onSpinWait();
                }
                assertFilled(ring, now, 0xee);
                now = next;
            }
            stop.set(true);
            Parked.finish(device);
            assertFalse(broken.get(), () -> ring.queue.failure().toString());
        }
    }

    /** Serves one buffer after the other until it is to stop, or the ring is broken. */
    private static void serve(RingFixture ring, AtomicBoolean stop, AtomicBoolean broken) {
        while (!stop.get()) {
            ring.queue.disableNotifications();
            ring.driver.offer(0);
            broken.compareAndSet(false, !ring.poll());
            if (broken.get()) {
                return;
            }
            ring.complete(ring.chain);
            ring.queue.publish();
            ring.queue.enableNotifications();
        }
    }

    private static MemorySegment page(RingFixture ring, long gpa) {
        MemoryRegion region = Objects.requireNonNull(ring.memory.map().find(gpa));
        return region.segment().asSlice(gpa - region.start(), PAGE);
    }

    private static void fill(RingFixture ring, long gpa, int value) {
        page(ring, gpa).fill((byte) value);
    }

    private static void assertFilled(RingFixture ring, long gpa, int value) {
        for (byte left : page(ring, gpa).toArray(ValueLayout.JAVA_BYTE)) {
            assertEquals((byte) value, left,
                    () -> "0x" + Long.toHexString(gpa) + " was written after it was taken away");
        }
    }

    private static RingFixture shuffled() {
        return RingFixture.of(SIZE).gap(2 * PAGE).regions(1).shuffled(new Random(3)).open();
    }
}
