// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.driver.hostile.RawRing;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.wire.AvailableRing;
import org.virtio4j.wire.SplitDescriptor;
import org.virtio4j.wire.UsedRing;

class DriverQueueTest {

    private static final int NEXT = SplitDescriptor.FLAG_NEXT;
    private static final int WRITE = SplitDescriptor.FLAG_WRITE;

    private final GuestMemory memory = GuestMemory.anonymous(0x10_0000, 16 << 20);
    private final GuestRam ram = new GuestRam(memory, 0x10_0000, 16 << 20);

    @AfterEach
    void closeMemory() {
        memory.close();
    }

    @Test
    void shouldLayTheRingOutAsSpecifiedWhenABufferIsAdded() {
        DriverQueue queue = queue(8, false);
        assertTrue(queue.add(77, 0x1_2345_6789L, 36, 0x9_8765_4321L, 4));
        GuestBuffer table = queue.memory().descriptorTable();
        GuestBuffer available = queue.memory().availableRing();

        assertEquals(0x1_2345_6789L, table.i64(0));
        assertEquals(36, table.i32(8));
        assertEquals(1, table.u16(12));
        assertEquals(1, table.u16(14));
        assertEquals(0x9_8765_4321L, table.i64(16));
        assertEquals(4, table.i32(24));
        assertEquals(2, table.u16(28));
        assertEquals(0, available.u16(2), "not published");

        queue.publish();
        assertEquals(1, available.u16(2));
        assertEquals(0, available.u16(4));
    }

    @Test
    void shouldTakeEveryLengthUpTo32BitsWhenABufferIsAdded() {
        DriverQueue queue = queue(8, false);
        assertTrue(queue.add(1, 0, 0xffff_ffffL, 0, 0));
        assertEquals(0xffff_ffffL, new RawRing(queue.memory()).descriptorLength(0));
        assertThrows(IllegalArgumentException.class, () -> queue.add(1, 0, 0x1_0000_0000L, 0, 0));
        assertThrows(IllegalArgumentException.class, () -> queue.add(1, 0, 0, 0, -1));
        assertThrows(IllegalArgumentException.class, () -> queue.add(1, 0, 0, 0, 0));
        assertThrows(IllegalArgumentException.class, () -> queue.add(1, new long[9], new long[9], 9, 0));
        assertEquals(1, queue.out());
        assertEquals(7, queue.free());
    }

    @Test
    void shouldChainAllPiecesWhenThereAreSeveral() {
        DriverQueue queue = queue(8, false);
        RawRing ring = new RawRing(queue.memory());
        queue.add(1, 0x100, 1, 0, 0);
        assertTrue(queue.add(2, new long[] {10, 20, 30, 40}, new long[] {1, 0, 3, 4}, 2, 2));
        queue.publish();

        assertEquals(1, ring.availableEntry(1));
        List<String> chain = new ArrayList<>();
        for (int i = ring.availableEntry(1), more = NEXT; more != 0; i = ring.descriptorNext(i)) {
            chain.add(ring.descriptorAddress(i) + "+" + ring.descriptorLength(i) + ":" + ring.descriptorFlags(i));
            more = ring.descriptorFlags(i) & NEXT;
        }
        assertEquals(List.of("10+1:" + NEXT, "20+0:" + NEXT, "30+3:" + (NEXT | WRITE), "40+4:" + WRITE), chain);
        assertEquals(3, queue.free());
        assertFalse(queue.add(3, new long[4], new long[4], 4, 0), "no room");
        assertEquals(3, queue.free());
    }

    @Test
    void shouldUseAnIndirectTableWhenTheChainFits() {
        GuestBuffer tables = ram.buffer(8 * 3 * SplitDescriptor.SIZE, 16);
        DriverQueue queue = new DriverQueue(0, QueueMemory.compact(ram, 8), false, tables);
        RawRing ring = new RawRing(queue.memory());
        queue.add(1, 0x100, 1, 0, 0);
        queue.add(2, 0x200, 5, 0x300, 6);
        queue.publish();

        assertEquals(SplitDescriptor.FLAG_INDIRECT, ring.descriptorFlags(1));
        assertEquals(2 * SplitDescriptor.SIZE, ring.descriptorLength(1));
        assertEquals(tables.address() + 3 * SplitDescriptor.SIZE, ring.descriptorAddress(1));
        long table = 3 * SplitDescriptor.SIZE;
        assertEquals(0x200, tables.i64(table));
        assertEquals(NEXT, tables.u16(table + 12));
        assertEquals(1, tables.u16(table + 14));
        assertEquals(0x300, tables.i64(table + 16));
        assertEquals(WRITE, tables.u16(table + 28));
        assertEquals(6, queue.free());

        assertTrue(queue.add(3, new long[4], new long[] {1, 1, 1, 1}, 4, 0), "longer than a table");
        assertEquals(2, queue.free());
        assertThrows(IllegalArgumentException.class,
                () -> new DriverQueue(0, QueueMemory.compact(ram, 8), false, ram.buffer(255, 16)));
    }

    @Test
    void shouldGiveBackTokenAndLengthWhenTheDeviceUsedABuffer() {
        DriverQueue queue = queue(4, false);
        FakeRing device = new FakeRing(queue.memory());
        queue.add(-5, 0x100, 8, 0x200, 100);
        queue.publish();
        assertFalse(queue.poll());
        device.use(60);

        assertTrue(queue.poll());
        assertEquals(-5, queue.usedToken());
        assertEquals(60, queue.usedLength());
        assertEquals(0, queue.out());
        assertEquals(4, queue.free());
        assertFalse(queue.poll());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 64, 256, 32768})
    void shouldGoOnWhenIndexesWrapAround(int size) {
        DriverQueue queue = queue(size, false);
        FakeRing device = new FakeRing(queue.memory());
        long used = 0;
        for (long i = 0; i < 200_000; i++) {
            if (!queue.add(i, 0x100, 8, 0, 0)) {
                queue.publish();
                device.useAll(0);
                while (queue.poll()) {
                    assertEquals(used++, queue.usedToken());
                }
                assertTrue(queue.add(i, 0x100, 8, 0, 0));
            }
        }
        queue.publish();
        device.useAll(0);
        while (queue.poll()) {
            assertEquals(used++, queue.usedToken());
        }
        assertEquals(200_000, used);
        assertEquals(size, queue.free());
    }

    @Test
    void shouldKeepItsDescriptorsApartWhenChainsComeBackInAnyOrder() {
        Random random = Seed.random();
        DriverQueue queue = queue(64, false);
        RawRing ring = new RawRing(queue.memory());
        List<Integer> out = new ArrayList<>();
        int seen = 0;
        for (int i = 0; i < 20_000; i++) {
            int pieces = 1 + random.nextInt(6);
            long[] lengths = new long[pieces];
            Arrays.fill(lengths, 1);
            if (queue.add(i, new long[pieces], lengths, pieces, 0)) {
                queue.publish();
                out.add(ring.availableEntry(seen++));
            }
            assertDisjoint(ring, out, queue.free());
            if (random.nextBoolean() && !out.isEmpty()) {
                Collections.swap(out, random.nextInt(out.size()), out.size() - 1);
                ring.putUsed(ring.usedIndex(), out.removeLast(), 0);
                ring.usedIndex(ring.usedIndex() + 1);
                assertTrue(queue.poll());
            }
            seen &= 0xffff;
        }
    }

    @Test
    void shouldAskForAKickWhenTheDeviceSetNoFlag() {
        DriverQueue queue = queue(4, false);
        RawRing ring = new RawRing(queue.memory());
        assertFalse(queue.kickNeeded(), "nothing was published");
        queue.add(1, 0x100, 8, 0, 0);
        assertFalse(queue.kickNeeded(), "nothing was published");
        queue.publish();
        assertTrue(queue.kickNeeded());
        assertFalse(queue.kickNeeded(), "decided already");

        ring.usedFlags(UsedRing.FLAG_NO_NOTIFY);
        queue.add(2, 0x100, 8, 0, 0);
        queue.publish();
        assertFalse(queue.kickNeeded());
    }

    @ParameterizedTest
    @CsvSource({"0, 1, 0, true", "0, 1, 1, false", "0, 1, 65535, false", "65534, 2, 65535, true", "65535, 2, 0, true",
        "65535, 2, 65535, true", "5, 3, 5, true", "5, 3, 6, true", "5, 3, 7, true", "5, 3, 8, false", "5, 3, 4, false"})
    void shouldAskForAKickWhenTheAvailableEventWasPassed(int from, int count, int event, boolean expected) {
        DriverQueue queue = queue(8, true);
        FakeRing device = new FakeRing(queue.memory());
        for (int i = 0; i < from; i++) {
            queue.add(i, 0x100, 8, 0, 0);
            queue.publish();
            device.useAll(0);
            queue.poll();
        }
        queue.kickNeeded();
        RawRing ring = new RawRing(queue.memory());
        ring.availableEvent(event);
        ring.usedFlags(UsedRing.FLAG_NO_NOTIFY);
        for (int i = 0; i < count; i++) {
            queue.add(i, 0x100, 8, 0, 0);
        }
        queue.publish();

        assertEquals(expected, queue.kickNeeded());
    }

    @Test
    void shouldAskForAKickWhenMoreWasPublishedThanAnIndexCanTell() {
        DriverQueue queue = queue(8, true);
        FakeRing device = new FakeRing(queue.memory());
        for (int i = 0; i < 65_536; i++) {
            queue.add(i, 0x100, 8, 0, 0);
            queue.publish();
            device.useAll(0);
            queue.poll();
        }
        assertTrue(queue.kickNeeded());
    }

    @Test
    void shouldSayWhetherItWantsInterruptsWhenTheFlagCounts() {
        DriverQueue queue = queue(8, false);
        RawRing ring = new RawRing(queue.memory());
        assertEquals(0, ring.availableFlags());
        queue.disableUsedNotifications();
        assertEquals(AvailableRing.FLAG_NO_INTERRUPT, ring.availableFlags());
        assertFalse(queue.enableUsedNotifications());
        assertEquals(0, ring.availableFlags());
    }

    @Test
    void shouldSayWhetherItWantsInterruptsWhenEventsCount() {
        DriverQueue queue = queue(8, true);
        RawRing ring = new RawRing(queue.memory());
        FakeRing device = new FakeRing(queue.memory());
        queue.add(1, 0x100, 8, 0, 0);
        queue.add(2, 0x100, 8, 0, 0);
        queue.publish();
        device.useAll(0);
        assertEquals(0, ring.usedEvent());
        queue.poll();
        assertEquals(1, ring.usedEvent(), "follows what was taken");

        queue.disableUsedNotifications();
        queue.poll();
        assertEquals(0, ring.usedEvent());
        queue.add(3, 0x100, 8, 0, 0);
        queue.publish();
        device.useAll(0);
        assertTrue(queue.enableUsedNotifications(), "came back before");
        assertEquals(2, ring.usedEvent());
        assertEquals(0, ring.availableFlags());
    }

    @Test
    void shouldBelieveNothingMoreWhenTheUsedIndexIsAhead() {
        DriverQueue queue = queue(8, false);
        queue.add(1, 0x100, 8, 0, 0);
        queue.publish();
        new RawRing(queue.memory()).usedIndex(2);

        assertBroken(queue, UsedRingFailure.INDEX_AHEAD);
    }

    @ParameterizedTest
    @CsvSource({"8, ID_OUT_OF_RANGE", "4294967295, ID_OUT_OF_RANGE", "1, ID_NOT_AVAILABLE", "2, ID_NOT_AVAILABLE"})
    void shouldBelieveNothingMoreWhenAnElementNamesNoBuffer(long id, UsedRingFailure expected) {
        DriverQueue queue = queue(8, false);
        queue.add(1, 0x100, 8, 0x200, 8);
        queue.publish();
        RawRing ring = new RawRing(queue.memory());
        ring.putUsed(0, id, 0);
        ring.usedIndex(1);

        assertBroken(queue, expected);
        assertEquals(id, queue.usedId());
    }

    @Test
    void shouldBelieveNothingMoreWhenABufferComesBackTwice() {
        DriverQueue queue = queue(8, false);
        queue.add(1, 0x100, 8, 0, 0);
        queue.add(2, 0x100, 8, 0, 0);
        queue.publish();
        RawRing ring = new RawRing(queue.memory());
        ring.putUsed(0, 0, 0);
        ring.putUsed(1, 0, 0);
        ring.usedIndex(2);

        assertTrue(queue.poll());
        assertBroken(queue, UsedRingFailure.ID_NOT_AVAILABLE);
    }

    @ParameterizedTest
    @CsvSource({"8, NONE", "9, LENGTH_TOO_LONG", "4294967295, LENGTH_TOO_LONG"})
    void shouldBelieveNothingMoreWhenMoreWasWrittenThanThereIsRoomFor(long length, UsedRingFailure expected) {
        DriverQueue queue = queue(8, false);
        queue.add(1, new long[] {1, 2, 3}, new long[] {100, 3, 5}, 1, 2);
        queue.publish();
        new FakeRing(queue.memory()).use(length);

        assertEquals(expected == UsedRingFailure.NONE, queue.poll());
        assertEquals(expected, queue.failure());
    }

    @Test
    void shouldWorkTheSameWhenItsPagesAreScattered() {
        Random random = Seed.random();
        QueueMemory scattered = QueueMemory.shuffled(ram, 1024, 0xffff_f000_0000L, random);
        DriverQueue queue = new DriverQueue(0, scattered, true);
        FakeRing device = new FakeRing(scattered);
        for (int i = 0; i < 3000; i++) {
            assertTrue(queue.add(i, 0x100, 8, 0x200, 4));
            queue.publish();
            device.use(4);
            assertTrue(queue.poll());
            assertEquals(i, queue.usedToken());
        }
        GuestBuffer table = scattered.descriptorTable();
        assertEquals(16_384, table.length());
        assertEquals(0x100, ram.i64(table.gpa(0)));
        assertEquals(scattered.availableRing().address() & 0xfff, 0);
        assertTrue(scattered.usedRing().address() > scattered.availableRing().address() + 4096);
    }

    @Test
    void shouldZeroItsMemoryWhenItIsMade() {
        QueueMemory place = QueueMemory.compact(ram, 8);
        RawRing ring = new RawRing(place);
        ring.usedFlags(1);
        ring.usedIndex(9);
        ring.availableIndex(9);
        ring.putDescriptor(7, -1, -1, -1, -1);
        assertEquals(8, new DriverQueue(0, place, false).size());

        assertEquals(0, ring.usedFlags());
        assertEquals(0, ring.usedIndex());
        assertEquals(0, ring.availableIndex());
        assertEquals(0, ring.descriptorAddress(7));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1, 3, 65536, Integer.MIN_VALUE})
    void shouldRefuseMemoryWhenTheSizeIsNone(int size) {
        GuestBuffer some = ram.buffer(1 << 20, 4096);
        assertThrows(IllegalArgumentException.class, () -> new QueueMemory(size, some, some, some));
    }

    @Test
    void shouldRefuseMemoryWhenAPartIsTooShort() {
        GuestBuffer some = ram.buffer(128, 16);
        GuestBuffer tooShort = ram.buffer(21, 16);
        assertThrows(IllegalArgumentException.class, () -> new QueueMemory(8, some, tooShort, some));
        assertThrows(IllegalArgumentException.class, () -> new QueueMemory(16, some, some, some));
    }

    @Test
    void shouldAllocateNothingWhenBuffersGoRound() {
        DriverQueue queue = new DriverQueue(0, QueueMemory.shuffled(ram, 64, 0x8000_0000L, new Random(3)), true,
                ram.buffer(64 * 4 * SplitDescriptor.SIZE, 16));
        FakeRing device = new FakeRing(queue.memory());
        long[] addresses = {1, 2, 3, 4, 5};
        long[] lengths = {1, 1, 1, 1, 1};
        Allocation.assertNone(() -> {
            for (int i = 0; i < 1000; i++) {
                queue.add(i, 0x100, 8, 0x200, 4);
                queue.add(i, addresses, lengths, 2, 3);
                queue.publish();
                queue.kickNeeded();
                device.useAll(1);
                while (queue.poll()) {
                    queue.usedToken();
                }
            }
        });
    }

    private DriverQueue queue(int size, boolean eventIdx) {
        return new DriverQueue(0, QueueMemory.compact(ram, size), eventIdx);
    }

    private static void assertBroken(DriverQueue queue, UsedRingFailure expected) {
        assertFalse(queue.poll());
        assertEquals(expected, queue.failure());
        assertFalse(queue.poll());
    }

    private static void assertDisjoint(RawRing ring, List<Integer> heads, int free) {
        boolean[] taken = new boolean[64];
        int count = 0;
        for (int head : heads) {
            int more = NEXT;
            for (int i = head; more != 0; i = ring.descriptorNext(i)) {
                assertFalse(taken[i], "a descriptor is in two chains");
                taken[i] = true;
                count++;
                more = ring.descriptorFlags(i) & NEXT;
            }
        }
        assertEquals(64 - free, count);
    }
}
