// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vmm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GuestMemoryTest {

    private static final long PAGE = GuestMemory.PAGE_SIZE;
    private static final Duration LIMIT = Duration.ofSeconds(1);
    private static final MessageSink NOBODY = (requester, address, data) -> { };

    private final GuestMemory memory = new GuestMemory();

    @AfterEach
    void close() {
        memory.close();
    }

    @Test
    void shouldFindARegionByItsFirstAndLastAddressAndNotBeyond() {
        MemoryRegion low = memory.addAnonymous(PAGE, 2 * PAGE);
        MemoryRegion high = memory.addAnonymous(4 * PAGE, PAGE);
        RegionMap map = memory.map();

        assertNull(map.find(0));
        assertNull(map.find(PAGE - 1));
        assertSame(low, map.find(PAGE));
        assertSame(low, map.find(3 * PAGE - 1));
        assertNull(map.find(3 * PAGE));
        assertNull(map.find(4 * PAGE - 1));
        assertSame(high, map.find(4 * PAGE));
        assertSame(high, map.find(5 * PAGE - 1));
        assertNull(map.find(5 * PAGE));
        assertNull(map.find(-1));
        assertEquals(PAGE, low.start());
        assertEquals(3 * PAGE - 1, low.end());
    }

    @Test
    void shouldFindTheLastByteOfTheAddressSpaceWhenARegionEndsThere() {
        MemoryRegion top = memory.addAnonymous(-PAGE, PAGE);
        MemoryRegion bottom = memory.addAnonymous(0, PAGE);

        assertSame(top, memory.map().find(-1));
        assertSame(top, memory.map().find(-PAGE));
        assertNull(memory.map().find(-PAGE - 1));
        assertSame(bottom, memory.map().find(0));
        assertEquals(-1, top.end());
    }

    @Test
    void shouldKeepRegionsInAscendingUnsignedOrder() {
        memory.addAnonymous(-PAGE, PAGE);
        memory.addAnonymous(0x8000_0000_0000_0000L, PAGE);
        memory.addAnonymous(0, PAGE);
        memory.addAnonymous(0x7fff_ffff_ffff_f000L, PAGE);

        RegionMap map = memory.map();
        assertEquals(4, map.count());
        assertEquals(0, map.region(0).start());
        assertEquals(0x7fff_ffff_ffff_f000L, map.region(1).start());
        assertEquals(0x8000_0000_0000_0000L, map.region(2).start());
        assertEquals(-PAGE, map.region(3).start());
        for (int i = 0; i < 4; i++) {
            assertSame(map.region(i), map.find(map.region(i).start()));
        }
    }

    @Test
    void shouldPublishANewMapWithTheNextGenerationWhenSomethingChanges() {
        RegionMap empty = memory.map();
        MemoryRegion region = memory.addAnonymous(0, PAGE);
        RegionMap one = memory.map();
        memory.remove(region, LIMIT);

        assertEquals(empty.generation() + 1, one.generation());
        assertEquals(one.generation() + 1, memory.map().generation());
        assertNotSame(empty, one);
        assertEquals(0, empty.count(), "an old map does not change");
        assertSame(region, one.find(0), "an old map does not change");
        assertNull(memory.map().find(0));
    }

    @ParameterizedTest
    @CsvSource({"1, 1", "0, 1", "1, 2", "0, 4", "3, 1", "2, 2", "3, 8"})
    void shouldRefuseARegionThatOverlapsAnother(long firstPage, long pages) {
        memory.addAnonymous(PAGE, 3 * PAGE);
        RegionMap before = memory.map();
        boolean touches = firstPage < 4 && firstPage + pages > 1;
        if (touches) {
            assertRefused("overlaps RAM [0x1000, 0x3fff]; remove that first",
                    () -> memory.addAnonymous(firstPage * PAGE, pages * PAGE));
            assertSame(before, memory.map());
        } else {
            memory.addAnonymous(firstPage * PAGE, pages * PAGE);
            assertEquals(2, memory.map().count());
        }
    }

    @Test
    void shouldAcceptARegionRightBeforeAndRightBehindAnother() {
        memory.addAnonymous(PAGE, PAGE);
        memory.addAnonymous(0, PAGE);
        memory.addAnonymous(2 * PAGE, PAGE);
        assertEquals(3, memory.map().count());
    }

    @Test
    void shouldGiveBackItsOwnMemoryWhenItIsRefused() {
        memory.addAnonymous(0, PAGE);
        // 4 TiB a time: the address space of the process would be used up if refused memory stayed mapped.
        for (int i = 0; i < 50; i++) {
            assertRefused("overlaps", () -> memory.addAnonymous(0, 1L << 42));
        }
    }

    @Test
    void shouldRefuseARangeThatWrapsOrIsEmpty() {
        assertRefused("gpa=0xfffffffffffff000 size=8192 reaches past the end of the 64-bit address space",
                () -> memory.addAnonymous(-PAGE, 2 * PAGE));
        assertRefused("size=0, but a region has at least one byte", () -> memory.addAnonymous(0, 0));
        assertRefused("size=-4096", () -> memory.addAnonymous(0, -PAGE));
        assertRefused("reaches past", () -> memory.addDoorbell(-8, 16, (requester, address, data) -> { }));
        assertRefused("size=0", () -> memory.add(0, MemorySegment.NULL, RegionKind.RAM, GuestMemoryTest::nothing));
        assertEquals(0, memory.map().count());
    }

    @Test
    void shouldRefuseARegionThatIsNotMadeOfWholePages() {
        assertRefused("gpa=0x800 size=4096, but a region is made of whole pages of 4096 bytes",
                () -> memory.addAnonymous(0x800, PAGE));
        assertRefused("whole pages of 4096 bytes", () -> memory.addAnonymous(0, PAGE + 16));
        assertRefused("whole pages of 4096 bytes", () -> add(native64(PAGE - 16), RegionKind.RAM));
        assertRefused("whole pages of 4096 bytes",
                () -> memory.add(16, native64(PAGE), RegionKind.ROM, GuestMemoryTest::nothing));
    }

    @Test
    void shouldRefuseASegmentThatDevicesCannotUse() {
        assertRefused("lies on the heap", () -> add(MemorySegment.ofArray(new long[512]), RegionKind.RAM));
        assertRefused("is misaligned; its address must be a multiple of 16",
                () -> add(native64(2 * PAGE).asSlice(8, PAGE), RegionKind.RAM));
        assertRefused("is read-only; add it as ROM", () -> add(native64(PAGE).asReadOnly(), RegionKind.RAM));
        assertRefused("use addDoorbell", () -> add(native64(PAGE), RegionKind.DOORBELL));
        try (Arena confined = Arena.ofConfined()) {
            assertRefused("is confined to one thread; allocate it from Arena.ofShared()",
                    () -> add(confined.allocate(PAGE, PAGE), RegionKind.RAM));
        }
        Arena shared = Arena.ofShared();
        MemorySegment closed = shared.allocate(PAGE, PAGE);
        shared.close();
        assertRefused("is closed", () -> add(closed, RegionKind.RAM));
        assertEquals(0, memory.map().count());
    }

    @Test
    @SuppressWarnings({"NullAway", "DataFlowIssue"}) // what an embedder without NullAway may do
    void shouldRefuseNullBeforeAnythingChanges() {
        MemorySegment segment = native64(PAGE);
        assertThrows(NullPointerException.class, () -> memory.add(0, null, RegionKind.RAM, GuestMemoryTest::nothing));
        assertNamesNull("kind=null", () -> memory.add(0, segment, null, GuestMemoryTest::nothing));
        assertNamesNull("onReleased=null", () -> memory.add(0, segment, RegionKind.RAM, null));
        assertNamesNull("sink=null", () -> memory.addDoorbell(0, PAGE, null));
        assertEquals(0, memory.map().count());

        MemoryRegion region = memory.addAnonymous(0, PAGE);
        assertThrows(NullPointerException.class, () -> memory.remove(region, null));
        assertThrows(ArithmeticException.class, () -> memory.remove(region, Duration.ofSeconds(Long.MAX_VALUE)));
        assertSame(region, memory.map().find(0), "a removal that was refused must not have begun");
    }

    @Test
    void shouldAcceptReadOnlyMemoryAsRom() {
        MemoryRegion rom = add(native64(PAGE).asReadOnly(), RegionKind.ROM);
        assertEquals(RegionKind.ROM, rom.kind());
    }

    @Test
    void shouldAcceptADoorbellOfAnySize() {
        MemoryRegion doorbell = memory.addDoorbell(0xfee0_0004L, 3, (requester, address, data) -> { });
        assertSame(doorbell, memory.map().find(0xfee0_0006L));
        assertNull(memory.map().find(0xfee0_0007L));
        assertEquals(0, doorbell.segment().byteSize());
    }

    @Test
    void shouldReleaseExactlyOnceWhenARegionIsRemoved() {
        AtomicInteger released = new AtomicInteger();
        MemoryRegion region = memory.add(0, native64(PAGE), RegionKind.RAM, released::incrementAndGet);
        assertEquals(0, released.get());
        memory.remove(region, LIMIT);
        assertEquals(1, released.get());
        assertRefused("was it removed before?", () -> memory.remove(region, LIMIT));
        memory.close();
        assertEquals(1, released.get());
    }

    @Test
    void shouldReleaseEverythingWhenItIsClosed() {
        AtomicInteger released = new AtomicInteger();
        for (int i = 0; i < 5; i++) {
            memory.add(i * PAGE, native64(PAGE), RegionKind.RAM, released::incrementAndGet);
        }
        MemoryRegion own = memory.addAnonymous(8 * PAGE, PAGE);
        assertTrue(own.segment().scope().isAlive());
        memory.close();
        memory.close();
        assertEquals(5, released.get());
        assertEquals(0, memory.map().count());
        assertFalse(own.segment().scope().isAlive());
    }

    @Test
    void shouldRefuseARegionOfAnotherMemory() {
        memory.addAnonymous(0, PAGE);
        try (GuestMemory other = GuestMemory.anonymous(0, PAGE)) {
            MemoryRegion strange = Objects.requireNonNull(other.map().find(0));
            assertRefused("is not in this memory", () -> memory.remove(strange, LIMIT));
            assertEquals(1, memory.map().count());
        }
    }

    @Test
    void shouldFindEveryRegionWhenThereAreMany() {
        int count = 300;
        for (int i = 0; i < count; i++) {
            // In a scrambled order, every other page.
            long page = 2L * (i * 137 % count);
            memory.addDoorbell(page * PAGE, PAGE, (requester, address, data) -> { });
        }
        for (long i = 0; i < count; i++) {
            MemoryRegion found = Objects.requireNonNull(memory.map().find(2 * i * PAGE + PAGE - 1));
            assertEquals(2 * i * PAGE, found.start());
            assertNull(memory.map().find((2 * i + 1) * PAGE));
        }
    }

    @Test
    void shouldKeepOrderAndRefuseOverlapsThroughRandomChangesOfManyRegions() {
        long seed = Long.getLong("virtio4j.seed", System.nanoTime());
        System.out.println("virtio4j.seed=" + seed);
        Random random = new Random(seed);
        NavigableMap<Long, MemoryRegion> expected = new TreeMap<>();
        for (int i = 0; i < 40_000; i++) {
            // Grows for long and shrinks for long, so that chunks are divided and joined.
            boolean grow = random.nextInt(10) < (i / 10_000 % 2 == 0 ? 8 : 1);
            long gpa = 3 * PAGE * (1 + random.nextInt(8000));
            MemoryRegion there = expected.get(gpa);
            if (there != null && grow) {
                assertRefused("overlaps", () -> memory.addDoorbell(gpa + PAGE, 2 * PAGE, NOBODY));
                assertRefused("overlaps", () -> memory.addDoorbell(gpa - PAGE, 2 * PAGE, NOBODY));
            } else if (grow) {
                expected.put(gpa, memory.addDoorbell(gpa, 2 * PAGE, NOBODY));
            } else if (!expected.isEmpty()) {
                Map.Entry<Long, MemoryRegion> near = expected.floorEntry(gpa);
                MemoryRegion gone = near == null ? expected.firstEntry().getValue() : near.getValue();
                expected.remove(gone.start());
                memory.remove(gone, LIMIT);
                assertNull(memory.map().find(gone.start()));
                assertRefused("is not in this memory", () -> memory.remove(gone, LIMIT));
            }
        }
        RegionMap map = memory.map();
        assertEquals(expected.size(), map.count());
        int place = 0;
        for (MemoryRegion region : expected.values()) {
            assertSame(region, map.region(place++));
            assertSame(region, map.find(region.start()));
            assertSame(region, map.find(region.end()));
            assertNull(map.find(region.end() + 1));
        }
        assertThrows(IndexOutOfBoundsException.class, () -> map.region(map.count()));
        memory.close();
        assertEquals(0, memory.map().count());
        assertNull(memory.map().find(0));
    }

    @Test
    void shouldRemoveManyRegionsWithOneWaitAndReleaseEach() {
        List<MemoryRegion> removed = new ArrayList<>();
        List<Integer> released = new ArrayList<>();
        for (int i = 0; i < 2000; i++) {
            int number = i;
            MemoryRegion region = memory.add(i * PAGE, native64(PAGE), RegionKind.RAM, () -> {
                released.add(number);
                if (number % 2 == 0) {
                    throw new IllegalStateException("number " + number);
                }
            });
            if (i != 7) {
                removed.add(region);
            }
        }
        List<MemoryRegion> twice = List.of(removed.getFirst(), removed.getFirst());
        assertRefused("is not in this memory", () -> memory.remove(twice, LIMIT));
        assertEquals(2000, memory.map().count(), "a removal that was refused must not have begun");

        IllegalStateException first = assertThrows(IllegalStateException.class, () -> memory.remove(removed, LIMIT));
        assertEquals("number 0", first.getMessage());
        assertEquals(1999, released.size(), "one that throws keeps no other from its release");
        assertEquals(7 * PAGE, memory.map().region(0).start());
    }

    private MemoryRegion add(MemorySegment segment, RegionKind kind) {
        return memory.add(0, segment, kind, GuestMemoryTest::nothing);
    }

    private static void nothing() {
        // For memory whose end nobody waits for.
    }

    private static MemorySegment native64(long size) {
        return Arena.ofAuto().allocate(size, 64);
    }

    private static void assertRefused(String message, Executable call) {
        String said = String.valueOf(assertThrows(IllegalArgumentException.class, call).getMessage());
        assertTrue(said.contains(message), () -> "\"" + said + "\" does not say \"" + message + '"');
    }

    private static void assertNamesNull(String message, Executable call) {
        String said = String.valueOf(assertThrows(NullPointerException.class, call).getMessage());
        assertTrue(said.contains(message), () -> "\"" + said + "\" does not say \"" + message + '"');
    }
}
