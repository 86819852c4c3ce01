// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.dma;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.vmm.Access;
import org.virtio4j.vmm.DirtyLog;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.vmm.MemoryRegion;
import org.virtio4j.vmm.RegionKind;

@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class DirtyLogTest {

    private static final long PAGE = GuestMemory.PAGE_SIZE;
    private static final int LOG_PAGE = 4096;

    /** One call of the visitor. */
    private record Dirty(long gpa, long length) {
    }

    private final CountDownLatch stalled = new CountDownLatch(1);
    private final GuestMemory memory = new GuestMemory((holder, waitedNanos) -> stalled.countDown());
    private final DirtyLog log = memory.dirtyLog();
    private final DmaHandle dma = DmaSpace.identity(memory).open("writer");
    private final MemorySegment host = Arena.ofAuto().allocate(DmaHandle.MAX_BYTES, 8);

    DirtyLogTest() {
        memory.addAnonymous(0x10000, 8 * PAGE);
        memory.addAnonymous(0x40000, 130 * PAGE);
    }

    @AfterEach
    void close() {
        ParkedReader.leaveIfInside(dma);
        memory.close();
    }

    @Test
    void shouldLogNothingBeforeItIsStarted() {
        write(0x10000, 8);
        assertEquals(List.of(), harvest());
        log.start(LOG_PAGE);
        assertEquals(List.of(), harvest(), "started with no page marked");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldChangeNothingWhenItCannotBeStarted(boolean running) {
        // Nothing is touched, so that the address space alone is taken.
        MemoryRegion large = memory.addAnonymous(1L << 40, 1L << 40);
        if (running) {
            log.start(LOG_PAGE);
            write(0x10000, 8);
        }
        IllegalArgumentException refused = assertThrows(IllegalArgumentException.class, () -> log.start(1));
        assertTrue(String.valueOf(refused.getMessage()).contains("pageSize=1 "), refused.getMessage());
        write(0x11000, 8);
        List<Dirty> expected = List.of(new Dirty(0x10000, LOG_PAGE), new Dirty(0x11000, LOG_PAGE));
        assertEquals(running ? expected : List.of(), harvest());
        memory.addAnonymous(1L << 42, PAGE);
        memory.remove(large, Duration.ofSeconds(1));
    }

    @Test
    void shouldChangeNothingWhenThereIsNoRoomForTheMarks() {
        log.start(LOG_PAGE);
        long most = Runtime.getRuntime().maxMemory() * Byte.SIZE;
        // Marks of twice the heap, or as many as there can be.
        long size = Math.min(2 * most, (Integer.MAX_VALUE - 8L) * Long.SIZE) & -PAGE;
        Assumptions.assumeTrue(size > most, "a heap as large as the largest array");
        memory.addAnonymous(1L << 42, size);
        assertThrows(OutOfMemoryError.class, () -> log.start(1));
        write(0x11000, 8);
        assertEquals(List.of(new Dirty(0x11000, LOG_PAGE)), harvest());
        assertThrows(OutOfMemoryError.class, () -> log.start(1));
        log.stop();
        assertEquals(List.of(), harvest());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldNameEachWrittenPageOnceInAscendingOrder(boolean knownPiece) {
        log.start(LOG_PAGE);
        write(0x40000 + 129 * PAGE, 1, knownPiece);
        write(0x10000 + PAGE - 4, 8, knownPiece);
        write(0x40000 + 63 * PAGE + 7, (int) PAGE, knownPiece);
        write(0x10000 + PAGE, 16, knownPiece);
        assertEquals(List.of(page(0x10000), page(0x11000), page(0x40000 + 63 * PAGE), page(0x40000 + 64 * PAGE),
                page(0x40000 + 129 * PAGE)), harvest());
        assertEquals(List.of(), harvest(), "a harvest clears what it hands over");
        write(0x10000 + PAGE, 16);
        assertEquals(List.of(page(0x11000)), harvest());
    }

    @Test
    void shouldKeepTheMarksThatAVisitorThatThrowsDidNotTake() {
        log.start(LOG_PAGE);
        write(0x10000, 4);
        write(0x10000 + PAGE, 4);
        write(0x40000 + 64 * PAGE, 4);
        List<Dirty> taken = new ArrayList<>();
        IllegalStateException full = new IllegalStateException("full");
        assertEquals(full, assertThrows(IllegalStateException.class, () -> log.harvest((gpa, length) -> {
            if (gpa == 0x11000) {
                throw full;
            }
            taken.add(new Dirty(gpa, length));
        })));
        assertEquals(List.of(page(0x10000)), taken);
        assertEquals(List.of(page(0x11000), page(0x40000 + 64 * PAGE)), harvest());
    }

    @Test
    void shouldNotLogWhatWasOnlyReadOrRefused() {
        memory.add(0, Arena.ofAuto().allocate(PAGE, 16), RegionKind.ROM, () -> { });
        memory.addDoorbell(0x20000, PAGE, (requester, address, data) -> { });
        log.start(LOG_PAGE);
        dma.enter();
        assertEquals(DmaResult.OK, dma.read(0x10000, host, 0, 64));
        assertEquals(DmaResult.OK, dma.read(0, host, 0, 64));
        assertEquals(DmaResult.BUS_ERROR, dma.write(0, host, 0, 64));
        assertEquals(DmaResult.BUS_ERROR, dma.write(0x17ff8, host, 0, 64));
        assertEquals(DmaResult.OK, dma.write(0x10000, host, 0, 0));
        dma.leave();
        assertEquals(List.of(), harvest());
    }

    @Test
    void shouldLogBothSidesOfABorderBetweenRegions() {
        memory.addAnonymous(0x10000 + 8 * PAGE, PAGE);
        log.start(LOG_PAGE);
        write(0x10000 + 8 * PAGE - 1, 2);
        assertEquals(List.of(page(0x17000), page(0x18000)), harvest());
    }

    @Test
    void shouldLogTheLastPageOfTheAddressSpace() {
        memory.addAnonymous(-2 * PAGE, 2 * PAGE);
        log.start(LOG_PAGE);
        write(-8, 8);
        assertEquals(List.of(page(-PAGE)), harvest());
    }

    @Test
    void shouldLetTheLastPageReachPastTheRegionWhenItIsLarger() {
        log.start(1 << 14);
        write(0x40000 + 129 * PAGE, 1);
        write(0x10000, (int) PAGE);
        assertEquals(List.of(new Dirty(0x10000, 1 << 14), new Dirty(0x40000 + 128 * PAGE, 1 << 14)), harvest());
    }

    @Test
    void shouldLogPagesSmallerThanThoseOfTheHost() {
        log.start(64);
        write(0x10000 + 60, 8);
        assertEquals(List.of(new Dirty(0x10000, 64), new Dirty(0x10040, 64)), harvest());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1, 3, 4095, 4097, Integer.MIN_VALUE})
    void shouldRefuseAPageSizeThatIsNoPowerOfTwo(int pageSize) {
        IllegalArgumentException refused = assertThrows(IllegalArgumentException.class, () -> log.start(pageSize));
        assertTrue(String.valueOf(refused.getMessage()).contains("pageSize=" + pageSize), refused.getMessage());
    }

    @Test
    void shouldBeginAnewWhenItIsStartedWhileRunning() {
        log.start(LOG_PAGE);
        write(0x10000, 8);
        log.start(2 * LOG_PAGE);
        assertEquals(List.of(), harvest());
        write(0x13000, 8);
        assertEquals(List.of(new Dirty(0x12000, 2 * LOG_PAGE)), harvest());
    }

    @Test
    void shouldClearAllMarksWhenStopped() {
        log.start(LOG_PAGE);
        write(0x10000, 8);
        log.stop();
        assertEquals(List.of(), harvest());
        write(0x10000, 8);
        assertEquals(List.of(), harvest());
        log.start(LOG_PAGE);
        assertEquals(List.of(), harvest());
    }

    @Test
    void shouldLogRegionsThatAreAddedLaterAndNoneThatAreGone() {
        log.start(LOG_PAGE);
        MemoryRegion added = memory.addAnonymous(0, PAGE);
        write(0, 8);
        assertEquals(List.of(page(0)), harvest());
        write(0, 8);
        memory.remove(added, Duration.ofSeconds(1));
        assertEquals(List.of(), harvest());
    }

    @Test
    void shouldNamePhysicalPagesWhateverTheTranslation() {
        TableTranslator table = new TableTranslator().map(0x7000, 0x7fff, 0x12000, TableTranslator.BOTH);
        DmaHandle behind = DmaSpace.of(memory, table).open("behind");
        log.start(LOG_PAGE);
        behind.enter();
        assertEquals(DmaResult.OK, behind.write(0x7ff0, host, 0, 16));
        behind.leave();
        assertEquals(List.of(page(0x12000)), harvest());
    }

    @Test
    void shouldMarkOnlyWhatACursorSaysWasWritten() {
        DmaCursor cursor = new DmaCursor();
        log.start(LOG_PAGE);
        dma.enter();
        assertEquals(DmaResult.OK, dma.access(0x10000 + PAGE - 8, 4 * PAGE, Access.WRITE, cursor));
        assertTrue(cursor.next());
        cursor.written(0);
        cursor.written(8 + PAGE);
        dma.leave();
        assertEquals(List.of(page(0x10000), page(0x11000)), harvest());
    }

    @Test
    void shouldMarkAgainWhatIsWrittenDuringTheVisit() {
        log.start(LOG_PAGE);
        write(0x10000, 8);
        log.harvest((gpa, length) -> write(gpa, 8));
        assertEquals(List.of(page(0x10000)), harvest());
    }

    @Test
    void shouldNotStartWhileASectionMayWriteByTheOldSetting() {
        Thread starter = new Thread(() -> log.start(LOG_PAGE), "starter");
        try (ParkedReader writer = ParkedReader.in(dma)) {
            starter.start();
            ParkedReader.await(stalled);
            assertTrue(starter.isAlive(), "started though a section is open");
            writer.letGo();
        }
        ParkedReader.finish(starter);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldLoseNoWriteThatRacesWithAHarvest(boolean knownPiece) {
        MemorySegment ram = Objects.requireNonNull(memory.map().find(0x40000)).segment();
        MemorySegment replica = Arena.ofAuto().allocate(ram.byteSize(), 8);
        DirtyLog.Visitor copyPage = (gpa, length) ->
                MemorySegment.copy(ram, gpa - 0x40000, replica, gpa - 0x40000, length);
        log.start(LOG_PAGE);
        for (int round = 1; round <= 600; round++) {
            int stamp = round;
            Thread writer = new Thread(() -> {
                host.fill((byte) stamp);
                write(0x40000, 16 * LOG_PAGE, knownPiece);
            }, "writer");
            writer.start();
            while (writer.isAlive()) {
                log.harvest(copyPage);
            }
            ParkedReader.finish(writer);
            log.harvest(copyPage);
            assertEquals(-1, ram.mismatch(replica), "a page whose mark was taken before its data came");
        }
    }

    private static Dirty page(long gpa) {
        return new Dirty(gpa, PAGE);
    }

    private List<Dirty> harvest() {
        List<Dirty> pages = new ArrayList<>();
        log.harvest((gpa, length) -> pages.add(new Dirty(gpa, length)));
        return pages;
    }

    private void write(long gpa, int length) {
        write(gpa, length, false);
    }

    /** The second copy of a section that stays in one piece takes a shorter way. */
    private void write(long gpa, int length, boolean knownPiece) {
        dma.enter();
        if (knownPiece) {
            assertEquals(DmaResult.OK, dma.access(gpa, 1, Access.READ, new DmaCursor()));
        }
        assertEquals(DmaResult.OK, dma.write(gpa, host, 0, length));
        dma.leave();
    }
}
