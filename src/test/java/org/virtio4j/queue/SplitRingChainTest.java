// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.queue;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.virtio4j.fixture.DriverRing.Buffer.readable;
import static org.virtio4j.fixture.DriverRing.Buffer.writable;

import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.fixture.DriverRing.Buffer;

/** Section 2.7.4 and 2.7.5: a chain is two runs of bytes, however its descriptors are arranged. */
class SplitRingChainTest {

    private static final long PAGE = RingFixture.PAGE;

    @Test
    void shouldTakeNothingWhenNothingIsAvailable() {
        try (RingFixture ring = RingFixture.of(8).open()) {
            assertFalse(ring.poll());
            ring.driver.stage(0);
            assertFalse(ring.poll(), "an entry without the index is not available");
            assertEquals(QueueFailure.NONE, ring.queue.failure());
            assertEquals(8, ring.queue.size());
        }
    }

    @Test
    void shouldFollowTheNextFieldsWhateverTheirOrder() {
        try (RingFixture ring = RingFixture.of(8).open()) {
            ring.driver.descriptor(6, ring.readable(0, 3).next(1));
            ring.driver.descriptor(1, ring.readable(1, 2).next(7));
            ring.driver.descriptor(7, ring.writable(2, 5).next(0));
            ring.driver.descriptor(0, ring.writable(3, 4));
            ring.ram.fill(ring.buffers, 3, 0x11);
            ring.ram.fill(ring.buffers + PAGE, 2, 0x22);
            ring.driver.offer(6);

            assertTrue(ring.poll());
            assertEquals(5, ring.chain.readableLength());
            assertEquals(9, ring.chain.writableLength());
            assertArrayEquals(new byte[] {0x11, 0x11, 0x11, 0x22, 0x22}, ring.read(0, 5));
            assertEquals(DmaResult.OK, ring.write(0, 9, 0x33));
            ring.complete(ring.chain);
            ring.queue.publish();
            assertEquals(6, ring.driver.usedId(0));
            assertEquals(9, ring.driver.usedLength(0));
            assertBytes(ring, ring.buffers + 2 * PAGE, 5, 0x33);
            assertBytes(ring, ring.buffers + 3 * PAGE, 4, 0x33);
        }
    }

    @Test
    void shouldIgnoreTheNextFieldWithoutTheFlag() {
        try (RingFixture ring = RingFixture.of(4).open()) {
            ring.driver.descriptor(2, new Buffer(ring.buffers, 7, 0, 0xffff));
            ring.driver.offer(2);
            assertTrue(ring.poll());
            assertEquals(7, ring.chain.readableLength());
        }
    }

    @Test
    void shouldIgnoreFlagsItDoesNotKnow() {
        try (RingFixture ring = RingFixture.of(4).open()) {
            ring.driver.descriptor(0, ring.readable(0, 7).with(0xfff8));
            ring.driver.offer(0);
            assertTrue(ring.poll());
            assertEquals(7, ring.chain.readableLength());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 16, 256})
    void shouldTakeAChainAsLongAsTheQueue(int size) {
        try (RingFixture ring = RingFixture.of(size).open()) {
            Buffer[] buffers = new Buffer[size];
            for (int i = 0; i < size; i++) {
                buffers[i] = i < size / 2 ? readable(ring.buffers + i, 1) : writable(ring.buffers + i, 1);
            }
            ring.driver.chain(0, buffers);
            for (int round = 0; round < 3; round++) {
                ring.driver.offer(0);
                assertTrue(ring.poll());
                assertEquals(size / 2, ring.chain.readableLength());
                assertEquals(size - size / 2, ring.chain.writableLength());
                ring.complete(ring.chain);
            }
        }
    }

    @Test
    void shouldReadAcrossDescriptorsRegionsAndExtents() {
        Random random = new Random(1);
        try (RingFixture ring = RingFixture.of(16).regions(2).pages(40).shuffled(random).open()) {
            // Three buffers of several pages each, none of them aligned.
            long[] starts = {ring.buffers + 5, ring.buffers + 9 * PAGE + 4095, ring.buffers + 20 * PAGE + 1};
            int[] lengths = {2 * 4096 + 17, 4096 + 2, 3};
            byte[] expected = new byte[lengths[0] + lengths[1] + lengths[2]];
            random.nextBytes(expected);
            int done = 0;
            for (int i = 0; i < 3; i++) {
                for (int k = 0; k < lengths[i]; k++) {
                    ring.ram.putU8(starts[i] + k, expected[done++]);
                }
            }
            ring.driver.chain(4, readable(starts[0], lengths[0]), readable(starts[1], lengths[1]),
                    readable(starts[2], lengths[2]));
            ring.driver.offer(4);
            assertTrue(ring.poll());
            assertArrayEquals(expected, ring.read(0, expected.length));
            for (int offset : new int[] {1, 4090, lengths[0] - 1, lengths[0], lengths[0] + lengths[1]}) {
                byte[] tail = Arrays.copyOfRange(expected, offset, expected.length);
                assertArrayEquals(tail, ring.read(offset, tail.length));
            }
        }
    }

    @Test
    void shouldWriteAcrossDescriptorsRegionsAndExtents() {
        try (RingFixture ring = RingFixture.of(16).regions(1).pages(40).shuffled(new Random(2)).open()) {
            ring.driver.chain(0, writable(ring.buffers + 4000, 5000), writable(ring.buffers + 10 * PAGE + 1, 10));
            ring.driver.offer(0);
            assertTrue(ring.poll());
            assertEquals(DmaResult.OK, ring.write(0, 5010, 0x5a));
            assertBytes(ring, ring.buffers + 3999, 1, 0);
            assertBytes(ring, ring.buffers + 4000, 5000, 0x5a);
            assertBytes(ring, ring.buffers + 9000, 1, 0);
            assertBytes(ring, ring.buffers + 10 * PAGE + 1, 10, 0x5a);
            assertBytes(ring, ring.buffers + 10 * PAGE + 11, 1, 0);
        }
    }

    @Test
    void shouldTakeABufferLargerThanOneAccess() {
        try (RingFixture ring = RingFixture.of(4).pages(80).regions(7).open()) {
            int length = 3 * 65_536 + 123;
            ring.driver.chain(0, writable(ring.buffers + 1, length));
            ring.driver.offer(0);
            assertTrue(ring.poll());
            assertEquals(DmaResult.OK, ring.write(0, length, 0x77));
            assertEquals(length, ring.chain.writtenLength());
            assertBytes(ring, ring.buffers, 1, 0);
            assertBytes(ring, ring.buffers + 1, length, 0x77);
            assertBytes(ring, ring.buffers + 1 + length, 1, 0);
        }
    }

    @Test
    void shouldTakeEmptyDescriptorsAnywhereInAChain() {
        try (RingFixture ring = RingFixture.of(8).open()) {
            // Addresses of nothing are not looked at, so they may be anything.
            ring.driver.chain(0, readable(-1, 0), ring.readable(0, 2), readable(0, 0), ring.readable(1, 3),
                    writable(-5, 0), ring.writable(2, 4), writable(12, 0));
            ring.ram.fill(ring.buffers, 2, 1);
            ring.ram.fill(ring.buffers + PAGE, 3, 2);
            ring.driver.offer(0);
            assertTrue(ring.poll());
            assertEquals(5, ring.chain.readableLength());
            assertEquals(4, ring.chain.writableLength());
            assertArrayEquals(new byte[] {1, 1, 2, 2, 2}, ring.read(0, 5));
            assertEquals(DmaResult.OK, ring.write(0, 4, 9));
            assertBytes(ring, ring.buffers + 2 * PAGE, 4, 9);
        }
    }

    @Test
    void shouldNotMindWhichKindAnEmptyDescriptorIs() {
        try (RingFixture ring = RingFixture.of(8).open()) {
            ring.driver.chain(0, writable(0, 0), ring.readable(0, 2), writable(0, 0), ring.readable(1, 3));
            ring.driver.offer(0);
            assertTrue(ring.poll(), () -> ring.queue.failure().toString());
            assertEquals(5, ring.chain.readableLength());
            assertEquals(0, ring.chain.writableLength());
        }
    }

    @Test
    void shouldTakeAChainOfNothing() {
        try (RingFixture ring = RingFixture.of(2).open()) {
            ring.driver.chain(0, readable(0, 0), writable(0, 0));
            ring.driver.offer(0);
            assertTrue(ring.poll());
            assertEquals(0, ring.chain.readableLength());
            assertEquals(0, ring.chain.writableLength());
            ring.complete(ring.chain);
            ring.queue.publish();
            assertEquals(1, ring.driver.usedIndex());
            assertEquals(0, ring.driver.usedLength(0));
        }
    }

    @Test
    void shouldCountLengthsThatAreUnsigned() {
        try (RingFixture ring = RingFixture.of(4).open()) {
            ring.driver.chain(0, readable(ring.buffers, 0xffff_ffff), readable(ring.buffers, 0x8000_0000),
                    writable(ring.buffers, 0xffff_fffe));
            ring.driver.offer(0);
            assertTrue(ring.poll());
            assertEquals(0x1_7fff_ffffL, ring.chain.readableLength());
            assertEquals(0xffff_fffeL, ring.chain.writableLength());
            // What lies in RAM can be used, the rest is a bus error and no exception.
            assertEquals(DmaResult.OK, ring.write(0, 8, 1));
            assertEquals(DmaResult.BUS_ERROR, ring.write(0x1000_0000L, 8, 1));
        }
    }

    @Test
    void shouldReachTheEndOfTheAddressSpaceAndNotWrap() {
        try (RingFixture ring = RingFixture.of(4).open()) {
            ring.memory.addAnonymous(-PAGE, PAGE);
            ring.memory.addAnonymous(0, PAGE);
            ring.driver.chain(0, writable(-8, 16));
            ring.driver.offer(0);
            assertTrue(ring.poll());
            assertEquals(DmaResult.BUS_ERROR, ring.write(0, 16, 1));
            assertEquals(DmaResult.OK, ring.write(0, 8, 2));
            assertEquals(DmaResult.BUS_ERROR, ring.write(8, 8, 3));
            assertEquals(0x0202_0202_0202_0202L, ring.ram.i64(-8));
            assertEquals(0, ring.ram.i64(0));
        }
    }

    @Test
    void shouldReachABufferThatEndsExactlyWithTheRam() {
        try (RingFixture ring = RingFixture.of(4).pages(8).open()) {
            long end = ring.buffers + 8 * PAGE;
            ring.driver.chain(0, writable(end - 100, 100));
            ring.driver.chain(1, writable(end - 100, 101));
            ring.driver.offer(0);
            ring.driver.offer(1);
            assertTrue(ring.poll());
            assertEquals(DmaResult.OK, ring.write(0, 100, 1));
            ring.complete(ring.chain);
            assertTrue(ring.poll());
            assertEquals(DmaResult.BUS_ERROR, ring.write(0, 101, 2));
            assertEquals(1, ring.ram.u8(end - 1));
            assertEquals(0, ring.chain.writtenLength());
        }
    }

    @Test
    void shouldNotLookAtABufferBeforeTheDeviceDoes() {
        // A descriptor may point at nothing; only who reads it finds out.
        try (RingFixture ring = RingFixture.of(4).shuffled(new Random(3)).open()) {
            ring.driver.chain(0, readable(0x6666_0000L, 64), ring.writable(0, 8));
            ring.driver.offer(0);
            assertTrue(ring.poll());
            ring.queue.enter();
            assertEquals(DmaResult.FAULT,
                    ring.chain.read(8, Arena.ofAuto().allocate(8), 0, 8));
            ring.queue.leave();
            assertEquals(QueueFailure.NONE, ring.queue.failure());
            assertEquals(List.of(0x6666_0008L), Objects.requireNonNull(ring.table).faults());
        }
    }

    @Test
    void shouldRefuseWhatIsNotInTheChain() {
        try (RingFixture ring = RingFixture.of(4).open()) {
            ring.driver.chain(0, ring.readable(0, 10), ring.writable(1, 20));
            ring.driver.offer(0);
            assertTrue(ring.poll());
            assertThrows(IndexOutOfBoundsException.class, () -> ring.read(0, 11));
            ring.queue.leave();
            assertThrows(IndexOutOfBoundsException.class, () -> ring.read(10, 1));
            ring.queue.leave();
            assertThrows(IndexOutOfBoundsException.class, () -> ring.read(-1, 1));
            ring.queue.leave();
            assertThrows(IndexOutOfBoundsException.class, () -> ring.write(Long.MAX_VALUE, 1, 0));
            ring.queue.leave();
            assertEquals(0, ring.read(10, 0).length);
            assertEquals(DmaResult.OK, ring.write(20, 0, 0));
        }
    }

    private static void assertBytes(RingFixture ring, long address, int length, int expected) {
        for (int i = 0; i < length; i++) {
            if (ring.ram.u8(address + i) != expected) {
                assertEquals(expected, ring.ram.u8(address + i), "byte " + i + " of " + length);
            }
        }
    }
}
