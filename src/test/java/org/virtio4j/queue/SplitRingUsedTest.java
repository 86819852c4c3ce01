// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.queue;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.fixture.DriverRing.Buffer;
import org.virtio4j.vmm.Access;

/** Section 2.7.8: what the device says of the buffers it gives back. */
class SplitRingUsedTest {

    private static final long PAGE = RingFixture.PAGE;

    @Test
    void shouldShowNothingBeforeItIsPublished() {
        try (RingFixture ring = RingFixture.of(4).open()) {
            ring.driver.descriptor(3, ring.writable(0, 8));
            ring.driver.offer(3);
            assertTrue(ring.poll());
            ring.write(0, 8, 1);
            ring.complete(ring.chain);
            assertEquals(0, ring.driver.usedIndex(), "visible before publish");
            assertEquals(3, ring.driver.usedId(0), "the element is there before the index that shows it");
            assertEquals(8, ring.driver.usedLength(0));
            assertTrue(ring.queue.publish());
            assertEquals(1, ring.driver.usedIndex());
            assertFalse(ring.queue.publish(), "nothing new to notify of");
        }
    }

    @Test
    void shouldSayNoMoreThanWasWrittenFromTheStartWithoutAGap() {
        try (RingFixture ring = RingFixture.of(4).open()) {
            ring.driver.chain(0, ring.readable(5, 3), ring.writable(0, 10), ring.writable(1, 10));
            assertUsedLength(ring, 0);
            assertUsedLength(ring, 20, 0, 20);
            assertUsedLength(ring, 20, 0, 10, 10, 10);
            assertUsedLength(ring, 7, 0, 7);
            assertUsedLength(ring, 0, 1, 19);
            assertUsedLength(ring, 4, 0, 4, 5, 15);
            assertUsedLength(ring, 12, 0, 8, 4, 8);
            assertUsedLength(ring, 8, 0, 8, 2, 3);
            assertUsedLength(ring, 15, 0, 5, 5, 10, 16, 2);
            assertUsedLength(ring, 5, 0, 5, 20, 0);
        }
    }

    @Test
    void shouldCountOnlyWhatLandedWhenAWriteFailsHalfWay() {
        try (RingFixture ring = RingFixture.of(4).shuffled(new Random(1)).open()) {
            Objects.requireNonNull(ring.table).permit(ring.buffers + PAGE, Access.READ.mask());
            ring.driver.chain(0, ring.writable(0, 8), Buffer.writable(ring.buffers + PAGE, 8), ring.writable(2, 8));
            ring.driver.offer(0);
            assertTrue(ring.poll());
            assertEquals(DmaResult.FAULT, ring.write(0, 24, 5));
            assertEquals(8, ring.chain.writtenLength());
            assertEquals(DmaResult.OK, ring.write(16, 8, 6));
            ring.complete(ring.chain);
            ring.queue.publish();
            assertEquals(8, ring.driver.usedLength(0), "a gap is not written");
            assertEquals(0, ring.ram.u8(ring.buffers + PAGE));
            assertEquals(6, ring.ram.u8(ring.buffers + 2 * PAGE));
        }
    }

    @Test
    void shouldNotCountABufferThatFaultsInTheMiddle() {
        // One descriptor over two pages, the second read-only: all or nothing of a piece, and the length knows.
        try (RingFixture ring = RingFixture.of(4).shuffled(new Random(1)).open()) {
            Objects.requireNonNull(ring.table).permit(ring.buffers + PAGE, Access.READ.mask());
            ring.driver.chain(0, Buffer.writable(ring.buffers + PAGE - 4, 8));
            ring.driver.offer(0);
            assertTrue(ring.poll());
            assertEquals(DmaResult.FAULT, ring.write(0, 8, 5));
            assertEquals(0, ring.chain.writtenLength());
            assertEquals(0, ring.ram.i32(ring.buffers + PAGE - 4));
        }
    }

    @Test
    void shouldNotTakeOverTheLengthOfTheChainBefore() {
        try (RingFixture ring = RingFixture.of(4).open()) {
            ring.driver.chain(0, ring.writable(0, 8));
            ring.driver.offer(0);
            assertTrue(ring.poll());
            ring.write(0, 8, 1);
            ring.complete(ring.chain);
            ring.driver.offer(0);
            assertTrue(ring.poll());
            assertEquals(0, ring.chain.writtenLength());
            ring.complete(ring.chain);
            ring.queue.publish();
            assertEquals(8, ring.driver.usedLength(0));
            assertEquals(0, ring.driver.usedLength(1));
        }
    }

    @Test
    void shouldPlaceElementsThatLieInTwoPages() {
        // Behind a translator of shuffled pages, a used ring at every multiple of 4: elements straddle pages often.
        for (int shift = 0; shift < 16; shift += 4) {
            try (RingFixture ring = RingFixture.of(1_024).gap(shift).regions(1).shuffled(new Random(shift)).open()) {
                boolean straddles = false;
                for (int i = 0; i < 1_024; i++) {
                    ring.driver.descriptor(i, ring.writable(0, 4_096));
                    long element = ring.driver.used() + 4 + 8L * i;
                    straddles |= element / PAGE != (element + 7) / PAGE;
                }
                for (int i = 0; i < 3_000; i++) {
                    int head = i * 7 % 1_024;
                    int length = i % 4_096;
                    ring.driver.offer(head);
                    assertTrue(ring.poll());
                    ring.write(0, length, 1);
                    ring.complete(ring.chain);
                    ring.queue.publish();
                    assertEquals(head, ring.driver.usedId(i));
                    assertEquals(length, ring.driver.usedLength(i));
                    assertEquals(i + 1, ring.driver.usedIndex());
                }
                assertTrue(straddles || shift % 8 != 0, "no element lay in two pages");
            }
        }
    }

    @Test
    void shouldWriteNothingButTheUsedRingAndWritableBuffers() {
        try (RingFixture ring = RingFixture.of(16).indirect().gap(64).open()) {
            ring.driver.chain(0, ring.readable(0, 32), ring.writable(1, 32));
            ring.driver.chain(4, ring.readable(0, 32),
                    ring.driver.table(ring.buffers + 3 * PAGE, ring.readable(0, 32), ring.writable(2, 32)));
            ring.ram.fill(ring.buffers, 32, 0x55);
            byte[] table = bytes(ring, ring.driver.descriptors(), 16 * 16);
            for (int round = 0; round < 40; round++) {
                ring.driver.offer(round % 2 * 4);
                byte[] available = bytes(ring, ring.driver.available(), 6 + 2 * 16);
                assertTrue(ring.poll());
                ring.write(0, 32, round);
                ring.complete(ring.chain);
                ring.queue.publish();
                assertArrayEquals(available, bytes(ring, ring.driver.available(), 6 + 2 * 16));
            }
            assertArrayEquals(table, bytes(ring, ring.driver.descriptors(), 16 * 16));
            for (int i = 0; i < 32; i++) {
                assertEquals(0x55, ring.ram.u8(ring.buffers + i));
            }
            // The room between the parts, and what lies behind the used ring's last field.
            assertArrayEquals(new byte[64], bytes(ring, ring.driver.available() - 64, 64));
            long end = ring.driver.used() + 6 + 8 * 16;
            assertArrayEquals(new byte[(int) (ring.buffers - end)], bytes(ring, end, (int) (ring.buffers - end)));
        }
    }

    @Test
    void shouldMarkPagesOfTheUsedRingAsWritten() {
        try (RingFixture ring = RingFixture.of(16).gap(8_192).open()) {
            ring.memory.dirtyLog().start(4_096);
            ring.driver.chain(0, ring.writable(2, 8));
            ring.driver.offer(0);
            assertTrue(ring.poll());
            ring.write(0, 8, 1);
            ring.memory.dirtyLog().harvest((gpa, length) -> assertEquals(ring.buffers + 2 * PAGE, gpa));
            ring.complete(ring.chain);
            long usedPage = ring.driver.used() & -PAGE;
            assertDirty(ring, usedPage);
            ring.queue.publish();
            assertDirty(ring, usedPage);
            ring.queue.disableNotifications();
            assertDirty(ring, usedPage);
        }
    }

    private static void assertDirty(RingFixture ring, long page) {
        int[] count = new int[1];
        ring.memory.dirtyLog().harvest((gpa, length) -> {
            assertEquals(page, gpa);
            count[0]++;
        });
        assertEquals(1, count[0]);
    }

    /** Offers chain 0, carries out pairs of offset and length, and looks at the used length. */
    private static void assertUsedLength(RingFixture ring, int expected, int... writes) {
        int index = ring.driver.usedIndex();
        ring.driver.offer(0);
        assertTrue(ring.poll());
        for (int i = 0; i < writes.length; i += 2) {
            assertEquals(DmaResult.OK, ring.write(writes[i], writes[i + 1], 0xee));
        }
        ring.complete(ring.chain);
        ring.queue.publish();
        assertEquals(expected, ring.driver.usedLength(index));
    }

    private static byte[] bytes(RingFixture ring, long address, int length) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) ring.ram.u8(address + i);
        }
        return bytes;
    }
}
