// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.dma;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.virtio4j.vmm.Access;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.vmm.LittleEndian;
import org.virtio4j.vmm.MemoryRegion;
import org.virtio4j.vmm.RegionKind;

/** Removing a region takes it from the map at once, and gives its memory back when no section can be using it. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class RegionRemovalTest {

    private static final long PAGE = GuestMemory.PAGE_SIZE;
    private static final Duration AT_ONCE = Duration.ZERO;
    private static final Duration NEVER = Duration.ofDays(1);

    private final List<String> stalled = new CopyOnWriteArrayList<>();
    private final CountDownLatch reported = new CountDownLatch(1);
    private final AtomicInteger released = new AtomicInteger();
    private final GuestMemory memory = new GuestMemory((holder, waitedNanos) -> {
        stalled.add(holder + (waitedNanos >= 0 ? "" : " negative") + ", released " + released.get());
        reported.countDown();
    });
    private final MemorySegment segment = Arena.ofAuto().allocate(PAGE, PAGE);
    private final MemoryRegion region = memory.add(0, segment, RegionKind.RAM, released::incrementAndGet);

    @Test
    void shouldWaitForTheSectionAndThenReleaseOnce() {
        DmaHandle dma = DmaSpace.identity(memory).open("disk 7");
        Thread remover = new Thread(() -> memory.remove(region, AT_ONCE), "remover");
        try (ParkedReader reader = ParkedReader.in(dma)) {
            remover.start();
            ParkedReader.await(reported);
            assertEquals(0, released.get(), "released while a section was open");
            assertNull(memory.map().find(0), "the map changes at once");
            assertTrue(remover.isAlive(), "the removal came back while a section was open");
            reader.letGo();
        }
        ParkedReader.finish(remover);
        assertEquals(1, released.get());
        assertEquals(List.of("disk 7, released 0"), stalled);
        assertEquals(1, memory.gracePeriods().stalls());
    }

    @Test
    void shouldWaitAndReleaseAlsoWhenTheListenerThrows() {
        CountDownLatch told = new CountDownLatch(1);
        GuestMemory unlucky = new GuestMemory((holder, waitedNanos) -> {
            told.countDown();
            throw new AssertionError("the embedder's");
        });
        AtomicInteger gone = new AtomicInteger();
        AtomicInteger thrown = new AtomicInteger();
        MemoryRegion removed = unlucky.add(0, segment, RegionKind.RAM, gone::incrementAndGet);
        DmaHandle dma = DmaSpace.identity(unlucky).open("slow");
        Thread remover = new Thread(() -> {
            try {
                unlucky.remove(removed, AT_ONCE);
            } catch (AssertionError expected) {
                thrown.incrementAndGet();
            }
        }, "remover");
        try (ParkedReader reader = ParkedReader.in(dma)) {
            remover.start();
            ParkedReader.await(told);
            assertEquals(0, gone.get(), "released while a section was open");
            reader.letGo();
        }
        ParkedReader.finish(remover);
        assertEquals(1, gone.get());
        assertEquals(1, thrown.get());
        assertEquals(1, unlucky.gracePeriods().stalls());
        dma.close();
        assertEquals(0, unlucky.gracePeriods().count());
    }

    @Test
    void shouldThrowWhatTheListenerHasThrownAlsoWhenTheReleaseThrows() {
        CountDownLatch told = new CountDownLatch(1);
        AssertionError first = new AssertionError("the listener's");
        AssertionError second = new AssertionError("the release's");
        GuestMemory unlucky = new GuestMemory((holder, waitedNanos) -> {
            told.countDown();
            throw first;
        });
        MemoryRegion removed = unlucky.add(0, segment, RegionKind.RAM, () -> {
            throw second;
        });
        DmaHandle dma = DmaSpace.identity(unlucky).open("slow");
        AssertionError[] thrown = new AssertionError[1];
        Thread remover = new Thread(() -> thrown[0] =
                assertThrows(AssertionError.class, () -> unlucky.remove(removed, AT_ONCE)), "remover");
        try (ParkedReader reader = ParkedReader.in(dma)) {
            remover.start();
            ParkedReader.await(told);
            reader.letGo();
        }
        ParkedReader.finish(remover);
        assertEquals(first, thrown[0]);
        assertEquals(List.of(second), List.of(first.getSuppressed()));
        dma.close();
    }

    @Test
    void shouldRemoveEveryRegionOnCloseAlsoWhenOneReleaseThrows() {
        GuestMemory several = new GuestMemory();
        AtomicInteger gone = new AtomicInteger();
        for (int i = 0; i < 3; i++) {
            boolean throwing = i == 1;
            several.add(i * PAGE, segment, RegionKind.RAM, () -> {
                gone.incrementAndGet();
                if (throwing) {
                    throw new AssertionError("the embedder's");
                }
            });
        }
        assertThrows(AssertionError.class, several::close);
        assertEquals(3, gone.get());
        assertEquals(0, several.map().count());
    }

    @Test
    void shouldReportOnceAndGoOnWaitingWhenTheSectionDoesNotEnd() {
        DmaHandle dma = DmaSpace.identity(memory).open("slow");
        Thread remover = new Thread(() -> memory.remove(region, AT_ONCE), "remover");
        try (ParkedReader reader = ParkedReader.in(dma)) {
            remover.start();
            ParkedReader.await(reported);
            // The wait naps once it has spun for a while: by then it has gone round hundreds of times since the report.
            while (remover.getState() != Thread.State.TIMED_WAITING) {
                assertTrue(remover.isAlive(), "the wait was given up");
                Thread.onSpinWait();
            }
            assertEquals(0, released.get());
            reader.letGo();
        }
        ParkedReader.finish(remover);
        assertEquals(1, stalled.size(), stalled::toString);
        assertEquals(1, memory.gracePeriods().stalls());
    }

    @Test
    void shouldNotReportWhenTheLimitIsNotReached() {
        DmaHandle dma = DmaSpace.identity(memory).open("quick");
        Thread remover = new Thread(() -> memory.remove(region, NEVER), "remover");
        try (ParkedReader reader = ParkedReader.in(dma)) {
            remover.start();
            while (remover.getState() != Thread.State.TIMED_WAITING) {
                Thread.onSpinWait();
            }
            assertEquals(0, released.get());
            reader.letGo();
        }
        ParkedReader.finish(remover);
        assertEquals(1, released.get());
        assertEquals(List.of(), stalled);
    }

    @Test
    void shouldNotWaitForASectionThatBeganAfterTheMapChanged() {
        DmaHandle first = DmaSpace.identity(memory).open("first");
        DmaHandle second = DmaSpace.identity(memory).open("second");
        DmaCursor cursor = new DmaCursor();
        Thread remover = new Thread(() -> memory.remove(region, AT_ONCE), "remover");
        try (ParkedReader reader = ParkedReader.in(first)) {
            remover.start();
            ParkedReader.await(reported);
            // Outside any section nobody is waited for, however many handles there are.
            second.enter();
            assertEquals(DmaResult.BUS_ERROR, second.access(0, 1, Access.READ, cursor));
            second.leave();
            reader.letGo();
        }
        ParkedReader.finish(remover);
        assertEquals(List.of("first, released 0"), stalled);
    }

    @Test
    void shouldWaitForEveryHandleInTurn() {
        DmaHandle first = DmaSpace.identity(memory).open("first");
        DmaHandle second = DmaSpace.identity(memory).open("second");
        Thread remover = new Thread(() -> memory.remove(region, AT_ONCE), "remover");
        try (ParkedReader one = ParkedReader.in(first); ParkedReader other = ParkedReader.in(second)) {
            remover.start();
            ParkedReader.await(reported);
            one.letGo();
            while (stalled.size() < 2) {
                assertTrue(remover.isAlive(), "came back though the second section is open");
                Thread.onSpinWait();
            }
            assertEquals(0, released.get());
            other.letGo();
        }
        ParkedReader.finish(remover);
        assertEquals(List.of("first, released 0", "second, released 0"), stalled);
        assertEquals(1, released.get());
    }

    @Test
    void shouldUnmapItsOwnMemoryOnlyAfterTheSection() {
        MemoryRegion own = memory.addAnonymous(PAGE, PAGE);
        DmaHandle dma = DmaSpace.identity(memory).open("reader");
        DmaCursor cursor = new DmaCursor();
        Thread remover = new Thread(() -> memory.remove(own, AT_ONCE), "remover");
        Runnable find = () -> assertEquals(DmaResult.OK, dma.access(PAGE, 8, Access.READ, cursor));
        Runnable read = () -> {
            assertTrue(cursor.next());
            assertEquals(0, LittleEndian.i64(cursor.segment(), cursor.offset()));
        };
        try (ParkedReader reader = ParkedReader.in(dma, find, read)) {
            remover.start();
            ParkedReader.await(reported);
            assertTrue(own.segment().scope().isAlive());
            reader.letGo();
        }
        ParkedReader.finish(remover);
        assertFalse(own.segment().scope().isAlive());
    }

    @Test
    void shouldNotWaitForAHandleThatWasClosed() {
        DmaHandle dma = DmaSpace.identity(memory).open("gone");
        dma.close();
        dma.enter();
        // Would wait for ever, and report, if the handle still counted.
        memory.remove(region, AT_ONCE);
        dma.leave();
        assertEquals(1, released.get());
        assertEquals(List.of(), stalled);
    }
}
