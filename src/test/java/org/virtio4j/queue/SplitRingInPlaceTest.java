// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.virtio4j.fixture.DriverRing.Buffer.readable;
import static org.virtio4j.fixture.DriverRing.Buffer.writable;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.vmm.LittleEndian;
import org.virtio4j.vmm.MemoryRegion;
import org.virtio4j.vmm.RegionKind;

/** What a device may look at and write where it lies, and where it must copy instead. */
class SplitRingInPlaceTest {

    private static final long PAGE = RingFixture.PAGE;
    private static final long SPARE = RingFixture.START + 100 * PAGE;
    private static final Duration LIMIT = Duration.ofSeconds(1);

    @Test
    void shouldFindBuffersOfOneRegionWhereTheyLie() {
        try (RingFixture ring = RingFixture.of(8).open()) {
            for (int page = 0; page < 4; page++) {
                ring.ram.putI32(ring.buffers + page * PAGE, 0x1000 + page);
                ring.driver.chain(0, ring.readable(page, 36), ring.writable(page + 4, 8));
                ring.driver.offer(0);
                assertTrue(ring.poll());
                ring.queue.enter();
                long at = ring.chain.readInPlace(36);
                assertEquals(0x1000 + page, LittleEndian.i32(ring.chain.memory(), at));
                assertTrue(ring.chain.putI32(0x7766_5544));
                assertEquals(4, ring.chain.writtenLength());
                ring.queue.leave();
                assertEquals(0x7766_5544, ring.ram.i32(ring.buffers + (page + 4) * PAGE));
                ring.complete(ring.chain);
            }
        }
    }

    @Test
    void shouldNotFindWhatIsInSeveralPieces() {
        try (RingFixture ring = RingFixture.of(8).regions(1).open()) {
            ring.driver.chain(0, ring.readable(0, 8), ring.readable(1, 8), ring.writable(2, 3), ring.writable(3, 8));
            assertNotInPlace(ring, 16);
            ring.driver.chain(0, readable(ring.buffers + PAGE - 4, 8), writable(ring.buffers + 2 * PAGE - 2, 4));
            assertNotInPlace(ring, 8);
        }
    }

    @Test
    void shouldNotFindWhatIsNotThereOrEmpty() {
        try (RingFixture ring = RingFixture.of(8).open()) {
            ring.driver.chain(0, readable(0x6666_0000L, 8), writable(0x6666_1000L, 8));
            assertNotInPlace(ring, 8);
            ring.driver.chain(0, readable(-4, 8), writable(-2, 8));
            assertNotInPlace(ring, 8);
            ring.driver.chain(0, ring.writable(0, 2));
            assertNotInPlace(ring, 0);
        }
    }

    @Test
    void shouldNotFindAnythingBehindATranslator() {
        try (RingFixture ring = RingFixture.of(8).shuffled(new Random(5)).open()) {
            ring.driver.chain(0, ring.readable(0, 8), ring.writable(1, 8));
            assertNotInPlace(ring, 8);
        }
    }

    @Test
    void shouldNotWriteInPlaceIntoWhatIsReadOnly() {
        try (RingFixture ring = RingFixture.of(8).open(); Arena arena = Arena.ofShared()) {
            MemorySegment rom = arena.allocate(PAGE, PAGE);
            MemoryRegion region = ring.memory.add(SPARE, rom, RegionKind.ROM, () -> { });
            ring.driver.chain(0, readable(SPARE, 8), writable(SPARE + 64, 8));
            assertNotInPlace(ring, 8);
            assertEquals(0, LittleEndian.i32(rom, 64));
            ring.memory.remove(region, LIMIT);
        }
    }

    @Test
    void shouldNotUseMemoryThatWasExchanged() {
        try (RingFixture ring = RingFixture.of(8).open()) {
            MemoryRegion old = ring.memory.addAnonymous(SPARE, PAGE);
            ring.ram.putI32(SPARE, 11);
            ring.driver.chain(0, readable(SPARE, 8), writable(SPARE + 64, 8));
            assertEquals(11, readFirst(ring));
            ring.memory.remove(old, LIMIT);
            assertNotInPlace(ring, 8);
            ring.memory.addAnonymous(SPARE, PAGE);
            ring.ram.putI32(SPARE, 22);
            assertEquals(22, readFirst(ring));
        }
    }

    @Test
    void shouldReachNothingOutsideASection() {
        try (RingFixture ring = RingFixture.of(8).open()) {
            ring.driver.chain(0, ring.readable(0, 8), ring.writable(1, 8));
            assertEquals(0, readFirst(ring));
            ring.driver.offer(0);
            assertTrue(ring.poll());
            assertThrows(IllegalStateException.class, () -> ring.chain.readInPlace(8));
            assertThrows(IllegalStateException.class, () -> ring.chain.putI32(1));
            ring.complete(ring.chain);
            ring.queue.enter();
            assertThrows(IllegalStateException.class, () -> ring.chain.readInPlace(8));
            assertThrows(IllegalStateException.class, () -> ring.chain.putI32(1));
            ring.queue.leave();
        }
    }

    private static int readFirst(RingFixture ring) {
        ring.driver.offer(0);
        assertTrue(ring.poll());
        ring.queue.enter();
        long at = ring.chain.readInPlace(8);
        assertNotEquals(-1, at);
        int value = LittleEndian.i32(ring.chain.memory(), at);
        ring.queue.leave();
        ring.complete(ring.chain);
        return value;
    }

    private static void assertNotInPlace(RingFixture ring, long length) {
        ring.driver.offer(0);
        assertTrue(ring.poll());
        ring.queue.enter();
        assertEquals(-1, ring.chain.readInPlace(length));
        assertFalse(ring.chain.putI32(-1));
        assertEquals(0, ring.chain.writtenLength());
        assertEquals(DmaResult.OK, ring.chain.read(0, MemorySegment.NULL, 0, 0));
        ring.queue.leave();
        ring.complete(ring.chain);
    }
}
