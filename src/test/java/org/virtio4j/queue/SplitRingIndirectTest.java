// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.queue;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.virtio4j.fixture.DriverRing.Buffer.readable;
import static org.virtio4j.fixture.DriverRing.Buffer.writable;

import java.time.Duration;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.fixture.DriverRing.Buffer;
import org.virtio4j.wire.SplitDescriptor;

/** Section 2.7.5.3: a descriptor that refers to a table of others. */
class SplitRingIndirectTest {

    private static final long PAGE = RingFixture.PAGE;

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 5, 12})
    void shouldFollowDirectDescriptorsAndThenOneTable(int direct) {
        try (RingFixture ring = RingFixture.of(16).indirect().open()) {
            Buffer[] chain = new Buffer[direct + 1];
            for (int i = 0; i < direct; i++) {
                ring.ram.putU8(ring.buffers + i, i);
                chain[i] = readable(ring.buffers + i, 1);
            }
            ring.ram.putU8(ring.buffers + 100, 100);
            chain[direct] = ring.driver.table(ring.buffers + PAGE, readable(ring.buffers + 100, 1),
                    writable(ring.buffers + 200, 2), writable(ring.buffers + 300, 3));
            ring.driver.chain(2, chain);
            ring.driver.offer(2);

            assertTrue(ring.poll(), () -> ring.queue.failure().toString());
            assertEquals(direct + 1, ring.chain.readableLength());
            assertEquals(5, ring.chain.writableLength());
            byte[] bytes = ring.read(0, direct + 1);
            for (int i = 0; i < direct; i++) {
                assertEquals(i, bytes[i]);
            }
            assertEquals(100, bytes[direct]);
            assertEquals(DmaResult.OK, ring.write(0, 5, 7));
            assertEquals(7, ring.ram.u8(ring.buffers + 302));
            ring.complete(ring.chain);
            ring.queue.publish();
            assertEquals(2, ring.driver.usedId(0), "the head is that of the ring");
        }
    }

    @Test
    void shouldFollowWritableDirectDescriptorsAndThenATable() {
        try (RingFixture ring = RingFixture.of(8).indirect().open()) {
            ring.driver.chain(0, ring.readable(0, 1), ring.writable(1, 2),
                    ring.driver.table(ring.buffers + 5 * PAGE, ring.writable(2, 3)));
            ring.driver.offer(0);
            assertTrue(ring.poll());
            assertEquals(1, ring.chain.readableLength());
            assertEquals(5, ring.chain.writableLength());
        }
    }

    @Test
    void shouldIgnoreTheWriteFlagOfTheDescriptorThatRefersToTheTable() {
        try (RingFixture ring = RingFixture.of(8).indirect().open()) {
            Buffer table = ring.driver.table(ring.buffers + PAGE, ring.readable(0, 4), ring.writable(2, 3));
            ring.driver.chain(0, table.with(SplitDescriptor.FLAG_WRITE));
            ring.driver.offer(0);
            assertTrue(ring.poll(), () -> ring.queue.failure().toString());
            assertEquals(4, ring.chain.readableLength());
            assertEquals(3, ring.chain.writableLength());
        }
    }

    @Test
    void shouldIgnoreTheNextFieldOfTheDescriptorThatRefersToTheTable() {
        try (RingFixture ring = RingFixture.of(8).indirect().open()) {
            Buffer table = ring.driver.table(ring.buffers + PAGE, ring.readable(0, 4));
            ring.driver.descriptor(3, new Buffer(table.address(), table.length(), table.flags(), 0xffff));
            ring.driver.offer(3);
            assertTrue(ring.poll());
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 8, 13, PAGE - 16, PAGE - 15, PAGE - 8, PAGE - 1})
    void shouldAcceptATableAtAnyAlignmentAndAcrossPages(long shift) {
        // Behind a translator of shuffled pages and in regions of one page, nothing is contiguous.
        try (RingFixture ring = RingFixture.of(16).indirect().regions(1).shuffled(new Random(4)).open()) {
            Buffer[] entries = new Buffer[9];
            byte[] expected = new byte[9];
            for (int i = 0; i < 9; i++) {
                ring.ram.putU8(ring.buffers + 6 * PAGE + i, 40 + i);
                expected[i] = (byte) (40 + i);
                entries[i] = readable(ring.buffers + 6 * PAGE + i, 1);
            }
            ring.driver.chain(0, ring.driver.table(ring.buffers + shift, entries));
            ring.driver.offer(0);
            assertTrue(ring.poll(), () -> ring.queue.failure().toString());
            assertArrayEquals(expected, ring.read(0, 9));
        }
    }

    @Test
    void shouldFollowATableInAnyOrder() {
        try (RingFixture ring = RingFixture.of(8).indirect().regions(1).open()) {
            long table = ring.buffers + PAGE - 24;
            Buffer reference = ring.driver.table(table, readable(0, 1), readable(0, 1), readable(0, 1), readable(0, 1));
            place(ring, table, 0, readable(ring.buffers + 5 * PAGE, 1).next(3));
            place(ring, table, 3, readable(ring.buffers + 5 * PAGE + 1, 1).next(1));
            place(ring, table, 1, writable(ring.buffers + 6 * PAGE, 9));
            ring.driver.chain(0, reference);
            ring.driver.offer(0);
            assertTrue(ring.poll(), () -> ring.queue.failure().toString());
            assertEquals(2, ring.chain.readableLength());
            assertEquals(9, ring.chain.writableLength());
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldAcceptATableLongerThanOneAccess(boolean scattered) {
        int entries = 6_000;
        assertTrue(entries * SplitDescriptor.SIZE > DmaHandle.MAX_BYTES);
        RingFixture.Settings settings = RingFixture.of(8_192).indirect().pages(64);
        try (RingFixture ring = (scattered ? settings.regions(3).shuffled(new Random(5)) : settings).open()) {
            Buffer[] buffers = new Buffer[entries];
            for (int i = 0; i < entries; i++) {
                long address = ring.buffers + 40 * PAGE + i;
                ring.ram.putU8(address, i * 7);
                buffers[i] = readable(address, 1);
            }
            ring.driver.chain(0, ring.driver.table(ring.buffers + 8, buffers));
            ring.driver.offer(0);
            assertTrue(ring.poll(), () -> ring.queue.failure().toString());
            byte[] bytes = ring.read(0, entries);
            for (int i = 0; i < entries; i++) {
                assertEquals((byte) (i * 7), bytes[i], "entry " + i);
            }
        }
    }

    @Test
    void shouldAcceptATableThatIsLargerThanTheQueueWhenTheChainIsNot() {
        try (RingFixture ring = RingFixture.of(4).indirect().open()) {
            long table = ring.buffers + PAGE;
            place(ring, table, 0, readable(ring.buffers, 1).next(99));
            place(ring, table, 99, writable(ring.buffers, 2));
            ring.driver.chain(1, new Buffer(table, 1_600, SplitDescriptor.FLAG_INDIRECT, 0));
            ring.driver.offer(1);
            assertTrue(ring.poll(), () -> ring.queue.failure().toString());
            assertEquals(1, ring.chain.readableLength());
            assertEquals(2, ring.chain.writableLength());
        }
    }

    @Test
    void shouldReachATableThatEndsWithTheAddressSpace() {
        try (RingFixture ring = RingFixture.of(4).indirect().open()) {
            ring.memory.addAnonymous(-PAGE, PAGE);
            ring.driver.chain(0, ring.driver.table(-32, ring.readable(0, 3), ring.writable(1, 4)));
            ring.driver.offer(0);
            assertTrue(ring.poll(), () -> ring.queue.failure().toString());
            assertEquals(3, ring.chain.readableLength());
        }
    }

    @Test
    void shouldNotFollowATableAroundTheEndOfTheAddressSpace() {
        try (RingFixture ring = RingFixture.of(4).indirect().open()) {
            ring.memory.addAnonymous(-PAGE, PAGE);
            ring.memory.addAnonymous(0, PAGE);
            place(ring, -32, 0, ring.readable(0, 3).next(3));
            place(ring, 0, 1, ring.readable(0, 3));
            ring.driver.chain(0, new Buffer(-32, 64, SplitDescriptor.FLAG_INDIRECT, 0));
            ring.driver.offer(0);
            ring.assertFails(QueueFailure.INDIRECT_UNREACHABLE);
        }
    }

    @Test
    void shouldUseOneSlotForChainsOfAllLengths() {
        try (RingFixture ring = RingFixture.of(64).indirect().open()) {
            for (int length : new int[] {1, 64, 2, 33, 64, 1}) {
                Buffer[] entries = new Buffer[length];
                for (int i = 0; i < length; i++) {
                    entries[i] = readable(ring.buffers + i, 1);
                }
                ring.driver.chain(0, ring.driver.table(ring.buffers + PAGE, entries));
                ring.driver.offer(0);
                assertTrue(ring.poll());
                assertEquals(length, ring.chain.readableLength());
                assertEquals(0, ring.chain.writableLength());
                ring.complete(ring.chain);
            }
        }
    }

    @Test
    void shouldSeeTheTableThroughThePresentMemory() {
        try (RingFixture ring = RingFixture.of(4).indirect().open()) {
            long outside = ring.buffers + 64 * PAGE;
            var region = ring.memory.addAnonymous(outside, PAGE);
            ring.driver.chain(0, ring.driver.table(outside, ring.readable(0, 3)));
            ring.driver.offer(0);
            ring.serveOne();
            ring.memory.remove(region, Duration.ofSeconds(1));
            ring.driver.offer(0);
            ring.assertFails(QueueFailure.INDIRECT_UNREACHABLE);
        }
    }

    @Test
    void shouldReportATableThatIsNotMapped() {
        try (RingFixture ring = RingFixture.of(4).indirect().shuffled(new Random(6)).open()) {
            ring.driver.chain(0, new Buffer(0x5_0000, 32, SplitDescriptor.FLAG_INDIRECT, 0));
            ring.driver.offer(0);
            ring.assertFails(QueueFailure.INDIRECT_UNREACHABLE);
            assertEquals(0x5_0000L, Objects.requireNonNull(ring.table).faults().getFirst());
        }
    }

    private static void place(RingFixture ring, long table, int index, Buffer buffer) {
        long at = table + index * SplitDescriptor.SIZE;
        ring.ram.putI64(at + SplitDescriptor.ADDR, buffer.address());
        ring.ram.putI32(at + SplitDescriptor.LEN, buffer.length());
        ring.ram.putU16(at + SplitDescriptor.FLAGS, buffer.flags());
        ring.ram.putU16(at + SplitDescriptor.NEXT, buffer.next());
    }
}
