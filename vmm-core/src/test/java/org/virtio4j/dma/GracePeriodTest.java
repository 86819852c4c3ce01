// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.dma;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.virtio4j.dma.TableTranslator.BOTH;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.virtio4j.vmm.Access;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.vmm.LittleEndian;
import org.virtio4j.vmm.MemoryRegion;
import org.virtio4j.vmm.RegionKind;

/**
 * One thread takes pages away under another one's DMA. A page that was taken is poisoned as soon as the wait is over,
 * so a single stale byte would show.
 */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class GracePeriodTest {

    private static final long PAGE = GuestMemory.PAGE_SIZE;
    private static final long IOVA = 0x7000;
    private static final long POISON = 0xdead_dead_dead_deadL;
    private static final int ROUNDS = 20_000;
    private static final int ENTRIES = 500_000;
    private static final int REMOVALS = 4_000;
    private static final Duration LIMIT = Duration.ofSeconds(10);

    private final GuestMemory memory = new GuestMemory();
    private final CountDownLatch stalled = new CountDownLatch(1);
    private final TableTranslator table = new TableTranslator((holder, waitedNanos) -> stalled.countDown());

    @AfterEach
    void close() {
        memory.close();
    }

    /** Reads a page over and over, in two halves within one section, until it is told to stop. */
    private static final class Oracle {

        private final DmaHandle dma;
        private final long address;
        private final MemorySegment copy = Arena.ofAuto().allocate(PAGE, 8);
        private final Thread thread = new Thread(this::run, "oracle");
        private volatile boolean stop;
        private volatile long reads;
        private volatile String complaint = "";

        Oracle(DmaHandle dma, long address) {
            this.dma = dma;
            this.address = address;
            thread.start();
        }

        @SuppressWarnings("NonAtomicVolatileUpdate") // one thread counts
        private void run() {
            while (!stop && complaint.isEmpty()) {
                dma.enter();
                DmaResult result = dma.read(address, copy, 0, PAGE / 2);
                if (result == DmaResult.OK) {
                    result = dma.read(address + PAGE / 2, copy, PAGE / 2, PAGE / 2);
                }
                dma.leave();
                if (result == DmaResult.OK) {
                    look();
                    reads++;
                }
            }
        }

        private void look() {
            long stamp = LittleEndian.i64(copy, 0);
            for (long offset = 0; offset < PAGE; offset += Long.BYTES) {
                long here = LittleEndian.i64(copy, offset);
                if (here == POISON || here != stamp) {
                    complaint = "offset " + offset + " shows 0x" + Long.toHexString(here) + ", offset 0 showed 0x"
                            + Long.toHexString(stamp);
                }
            }
        }

        void finish() {
            stop = true;
            ParkedReader.finish(thread);
            assertEquals("", complaint);
        }
    }

    @Test
    void shouldShowNoStaleByteWhenATranslationIsChanged() {
        memory.addAnonymous(0, 2 * PAGE);
        table.map(IOVA, IOVA + PAGE - 1, 0, BOTH);
        fill(0, 1);
        Oracle oracle = new Oracle(DmaSpace.of(memory, table).open("oracle"), IOVA);
        for (long round = 2; (round < ROUNDS || oracle.reads < ROUNDS / 10) && oracle.complaint.isEmpty(); round++) {
            long next = round % 2 == 0 ? PAGE : 0;
            fill(next, round);
            table.redirectFirst(next);
            table.readers.awaitAll(LIMIT);
            fill(PAGE - next, POISON);
        }
        oracle.finish();
    }

    @Test
    void shouldNotMissAReaderThatIsJustEntering() {
        // Sections as short as they can be: what counts here is the order of one store and one load on either side.
        memory.addAnonymous(0, 2 * PAGE);
        MemorySegment ram = Objects.requireNonNull(memory.map().find(0)).segment();
        table.map(IOVA, IOVA + PAGE - 1, 0, BOTH);
        DmaHandle dma = DmaSpace.of(memory, table).open("entering");
        DmaCursor cursor = new DmaCursor();
        AtomicBoolean stop = new AtomicBoolean();
        AtomicLong stale = new AtomicLong();
        Thread reader = new Thread(() -> {
            while (!stop.get()) {
                dma.enter();
                dma.access(IOVA, Long.BYTES, Access.READ, cursor);
                cursor.next();
                if (LittleEndian.i64Acquire(cursor.segment(), cursor.offset()) == POISON) {
                    stale.incrementAndGet();
                }
                dma.leave();
            }
        }, "reader");
        reader.start();
        for (int round = 0; round < ENTRIES && stale.get() == 0; round++) {
            long next = round % 2 == 0 ? PAGE : 0;
            LittleEndian.putI64Release(ram, next, round);
            table.redirectFirst(next);
            table.readers.awaitAll(LIMIT);
            LittleEndian.putI64Release(ram, PAGE - next, POISON);
        }
        stop.set(true);
        ParkedReader.finish(reader);
        assertEquals(0, stale.get());
    }

    @Test
    void shouldShowNoStaleByteWhenARegionIsRemoved() {
        MemorySegment first = Arena.ofAuto().allocate(PAGE, PAGE);
        MemorySegment second = Arena.ofAuto().allocate(PAGE, PAGE);
        Oracle oracle = new Oracle(DmaSpace.identity(memory).open("oracle"), PAGE);
        for (int round = 1; (round < REMOVALS || oracle.reads < 100) && oracle.complaint.isEmpty(); round++) {
            MemorySegment segment = round % 2 == 0 ? first : second;
            fill(segment, 0, round);
            MemoryRegion region =
                    memory.add(PAGE, segment, RegionKind.RAM, () -> fill(segment, 0, POISON));
            long seen = oracle.reads;
            while (oracle.reads == seen && oracle.complaint.isEmpty() && round % 16 == 0) {
                Thread.onSpinWait();
            }
            memory.remove(region, LIMIT);
        }
        oracle.finish();
    }

    @Test
    void shouldShowNoStaleByteWhenItsOwnMemoryIsUnmapped() {
        Oracle oracle = new Oracle(DmaSpace.identity(memory).open("oracle"), PAGE);
        // A section that outlived the unmapping would end its thread with IllegalStateException.
        for (int round = 0; round < 200 || oracle.reads < 10; round++) {
            MemoryRegion region = memory.addAnonymous(PAGE, PAGE);
            long seen = oracle.reads;
            while (oracle.reads == seen && oracle.thread.isAlive() && round % 4 == 0) {
                Thread.onSpinWait();
            }
            memory.remove(region, LIMIT);
            assertTrue(oracle.thread.isAlive());
        }
        oracle.finish();
    }

    @Test
    void shouldCatchAWriterThatDoesNotWait() {
        // The same scene with the reader held inside its section and the wait left out: the oracle must see poison.
        memory.addAnonymous(0, 2 * PAGE);
        table.map(IOVA, IOVA + PAGE - 1, 0, BOTH);
        fill(0, 1);
        DmaHandle dma = DmaSpace.of(memory, table).open("oracle");
        DmaCursor cursor = new DmaCursor();
        long[] seen = new long[1];
        Runnable find = () -> assertEquals(DmaResult.OK, dma.access(IOVA, PAGE, Access.READ, cursor));
        Runnable copy = () -> {
            assertTrue(cursor.next());
            seen[0] = LittleEndian.i64(cursor.segment(), cursor.offset());
        };
        try (ParkedReader reader = ParkedReader.in(dma, find, copy)) {
            fill(PAGE, 2);
            table.redirectFirst(PAGE);
            fill(0, POISON);
            reader.letGo();
        }
        assertEquals(POISON, seen[0]);
    }

    @Test
    void shouldHoldTheWriterUntilTheReaderHasLeft() {
        memory.addAnonymous(0, 2 * PAGE);
        table.map(IOVA, IOVA + PAGE - 1, 0, BOTH);
        fill(0, 1);
        DmaHandle dma = DmaSpace.of(memory, table).open("oracle");
        DmaCursor cursor = new DmaCursor();
        long[] seen = new long[1];
        Thread writer = new Thread(() -> {
            fill(PAGE, 2);
            table.redirectFirst(PAGE);
            table.readers.awaitAll(0);
            fill(0, POISON);
        }, "writer");
        Runnable find = () -> assertEquals(DmaResult.OK, dma.access(IOVA, PAGE, Access.READ, cursor));
        Runnable copy = () -> {
            assertTrue(cursor.next());
            seen[0] = LittleEndian.i64(cursor.segment(), cursor.offset());
        };
        try (ParkedReader reader = ParkedReader.in(dma, find, copy)) {
            writer.start();
            ParkedReader.await(stalled);
            reader.letGo();
        }
        ParkedReader.finish(writer);
        assertEquals(1, seen[0], "the writer did not wait");
        assertEquals(POISON, firstWord(0));
        assertEquals(1, table.readers.stalls());
        assertFalse(writer.isAlive());
    }

    @Test
    void shouldWaitOnlyForTheSectionThatWasOpen() {
        DmaHandle dma = DmaSpace.of(memory, table).open("busy");
        Thread writer = new Thread(() -> table.readers.awaitAll(0), "writer");
        Runnable enterAgain = () -> {
            dma.leave();
            dma.enter();
            // The writer has to come back though this reader is inside again, or a busy one would hold it for ever.
            ParkedReader.finish(writer);
        };
        try (ParkedReader reader = ParkedReader.in(dma, () -> { }, enterAgain)) {
            writer.start();
            ParkedReader.await(stalled);
            reader.letGo();
        }
        assertEquals(1, table.readers.stalls());
    }

    private void fill(long gpa, long value) {
        MemoryRegion region = Objects.requireNonNull(memory.map().find(gpa));
        fill(region.segment(), gpa - region.start(), value);
    }

    private static void fill(MemorySegment segment, long start, long value) {
        for (long offset = 0; offset < PAGE; offset += Long.BYTES) {
            LittleEndian.putI64(segment, start + offset, value);
        }
    }

    private long firstWord(long gpa) {
        MemoryRegion region = Objects.requireNonNull(memory.map().find(gpa));
        return LittleEndian.i64(region.segment(), gpa - region.start());
    }
}
