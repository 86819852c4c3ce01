// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.dma;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.virtio4j.dma.TableTranslator.BOTH;
import static org.virtio4j.dma.TableTranslator.READ;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.dma.TableTranslator.Fault;
import org.virtio4j.dma.translate.ExtentSink;
import org.virtio4j.dma.translate.TranslateResult;
import org.virtio4j.dma.translate.TranslationCaches;
import org.virtio4j.dma.translate.Translator;
import org.virtio4j.vmm.Access;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.vmm.LittleEndian;
import org.virtio4j.vmm.MemoryRegion;
import org.virtio4j.vmm.grace.GracePeriods;
import org.virtio4j.vmm.grace.ReaderSlot;

/** Sections and faults of a handle, and what is left of it when it is closed. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class DmaSectionTest {

    private static final long PAGE = GuestMemory.PAGE_SIZE;

    private final CountDownLatch stalled = new CountDownLatch(1);
    private final GuestMemory memory = new GuestMemory((holder, waitedNanos) -> stalled.countDown());
    private final TableTranslator table = new TableTranslator();
    private final DmaHandle dma = DmaSpace.of(memory, table).open("block 3");
    private final DmaCursor cursor = new DmaCursor();
    private final MemorySegment host = Arena.ofAuto().allocate(PAGE, 8);
    private final MemoryRegion ram = memory.addAnonymous(0, 4 * PAGE);

    @AfterEach
    void close() {
        ParkedReader.leaveIfInside(dma);
        memory.close();
    }

    @Test
    void shouldRefuseToNestAndNameTheHolder() {
        dma.enter();
        IllegalStateException refused = assertThrows(IllegalStateException.class, dma::enter);
        assertTrue(String.valueOf(refused.getMessage()).contains("section=open on block 3"), refused.getMessage());
        dma.leave();
        dma.enter();
        dma.leave();
    }

    @Test
    void shouldRefuseASecondThreadAndLeaveTheFirstAlone() {
        table.map(0, 0xfff, 0, BOTH);
        LittleEndian.putI64(ram.segment(), 8, 99);
        Runnable read = () -> assertEquals(DmaResult.OK, dma.read(8, host, 0, 8));
        Runnable still = () -> {
            assertTrue(dma.live());
            read.run();
        };
        try (ParkedReader reader = ParkedReader.in(dma, read, still)) {
            IllegalStateException refused = assertThrows(IllegalStateException.class, dma::enter);
            String message = String.valueOf(refused.getMessage());
            assertTrue(message.contains("section=open on block 3, in another thread"), message);
            assertTrue(message.contains("open one for each"), message);
            // As in a finally block around the call that was refused.
            assertOutside(dma::leave);
            assertOutside(() -> dma.access(0x9000, 8, Access.READ, cursor));
            assertOutside(() -> dma.translate(0x9000, Access.READ, (start, end, phys, permitted) -> { }));
            assertThrows(IllegalStateException.class, () -> dma.send(0, 1));
            reader.letGo();
        }
        assertEquals(99, LittleEndian.i64(host, 0));
        assertEquals(List.of(), table.faults);
        dma.enter();
        dma.leave();
    }

    @Test
    void shouldNeverLetTwoThreadsIn() throws InterruptedException {
        AtomicInteger inside = new AtomicInteger();
        AtomicInteger together = new AtomicInteger();
        AtomicInteger refused = new AtomicInteger();
        Runnable enterAndLeave = () -> {
            // Until the threads have met; at least so often, and at most until the test's time is over.
            for (int i = 0; i < 100_000 || refused.get() == 0; i++) {
                try {
                    dma.enter();
                } catch (IllegalStateException taken) {
                    refused.incrementAndGet();
                    continue;
                }
                together.addAndGet(inside.incrementAndGet() - 1);
                inside.decrementAndGet();
                dma.leave();
            }
        };
        Thread one = new Thread(enterAndLeave, "one");
        Thread other = new Thread(enterAndLeave, "other");
        one.start();
        other.start();
        one.join();
        other.join();
        assertEquals(0, together.get());
        assertTrue(refused.get() > 0);
        memory.gracePeriods().awaitAll(0);
        assertEquals(0, memory.gracePeriods().stalls(), "a section is left open");
    }

    @Test
    void shouldRefuseEverythingOutsideASection() {
        table.map(0, 0xfff, 0, BOTH);
        assertOutside(dma::leave);
        assertOutside(() -> dma.access(0, 8, Access.READ, cursor));
        assertOutside(() -> dma.translate(0, Access.READ, (start, end, phys, permitted) -> { }));
        assertOutside(() -> dma.read(0, host, 0, 8));
        assertOutside(() -> dma.write(0, host, 0, 8));
        dma.enter();
        dma.read(0, host, 0, 8);
        dma.leave();
        // What the last section knew opens no back door.
        assertOutside(() -> dma.read(0, host, 0, 8));
        assertOutside(() -> dma.write(0, host, 0, 8));
        assertOutside(dma::leave);
    }

    @Test
    void shouldReportAFaultOnceAndOnlyAfterTheSection() {
        dma.enter();
        assertEquals(DmaResult.FAULT, dma.access(0x5008, 8, Access.WRITE, cursor));
        assertEquals(List.of(), table.faults, "reported inside the section");
        dma.leave();
        assertEquals(List.of(new Fault(TranslateResult.NO_MAPPING, 0x5008, Access.WRITE)), table.faults);
        dma.enter();
        dma.leave();
        assertEquals(1, table.faults.size(), "reported twice");
    }

    @Test
    void shouldReportTheFirstFaultOfASection() {
        table.map(0x1000, 0x1fff, 0, READ);
        dma.enter();
        assertEquals(DmaResult.FAULT, dma.write(0x1000, host, 0, 8));
        assertEquals(DmaResult.FAULT, dma.read(0x9000, host, 0, 8));
        assertEquals(DmaResult.OK, dma.read(0x1000, host, 0, 8));
        dma.leave();
        assertEquals(List.of(new Fault(TranslateResult.NOT_PERMITTED, 0x1000, Access.WRITE)), table.faults);
    }

    @Test
    void shouldReportTheFirstAddressThatWasRefusedNotTheStartOfTheBuffer() {
        table.map(0x1000, 0x1fff, 0, READ);
        dma.enter();
        assertEquals(DmaResult.FAULT, dma.access(0x1f00, 0x200, Access.READ, cursor));
        assertFalse(cursor.next());
        dma.leave();
        assertEquals(List.of(new Fault(TranslateResult.NO_MAPPING, 0x2000, Access.READ)), table.faults);
    }

    @Test
    void shouldReportWithNoSectionOpen() {
        List<DmaResult> inTheReport = new ArrayList<>();
        TableTranslator busy = new TableTranslator();
        DmaHandle[] handle = new DmaHandle[1];
        Translator calling = new Forwarding(busy) {
            @Override
            public void faulted(TranslateResult reason, long iova, Access access) {
                // Would throw inside a section, and would wait for itself if it still counted as a reader.
                handle[0].enter();
                inTheReport.add(handle[0].access(0, 1, Access.READ, cursor));
                handle[0].leave();
                busy.readers.awaitAll(0);
            }
        };
        busy.map(0, 0xfff, 0, READ);
        handle[0] = DmaSpace.of(memory, calling).open("calls back");
        handle[0].enter();
        handle[0].access(0x4000, 1, Access.READ, cursor);
        handle[0].leave();
        assertEquals(List.of(DmaResult.OK), inTheReport);
        assertEquals(0, busy.readers.stalls());
    }

    @Test
    void shouldNotCallABusErrorAFault() {
        table.map(0x1000, 0x1fff, 0x100_0000, BOTH);
        dma.enter();
        assertEquals(DmaResult.BUS_ERROR, dma.access(0x1000, 8, Access.READ, cursor));
        dma.leave();
        assertEquals(List.of(), table.faults);
    }

    @Test
    void shouldTranslateWithoutLookingAtMemory() {
        table.map(0x1000, 0x2fff, 0x100_0000, READ);
        long[] seen = new long[4];
        ExtentSink sink = (start, end, phys, permitted) -> {
            seen[0] = start;
            seen[1] = end;
            seen[2] = phys;
            seen[3] = permitted;
        };
        dma.enter();
        assertEquals(TranslateResult.OK, dma.translate(0x1234, Access.READ, sink));
        assertEquals(TranslateResult.NOT_PERMITTED, dma.translate(0x1234, Access.WRITE, sink));
        assertEquals(TranslateResult.NO_MAPPING, dma.translate(0x3000, Access.READ, sink));
        dma.leave();
        assertEquals(List.of(0x1000L, 0x2fffL, 0x100_0000L, 1L), List.of(seen[0], seen[1], seen[2], seen[3]));
        assertEquals(List.of(new Fault(TranslateResult.NOT_PERMITTED, 0x1234, Access.WRITE)), table.faults);
    }

    @Test
    void shouldReachNothingOnceClosed() {
        table.map(0, 0xfff, 0, BOTH);
        dma.close();
        int before = table.translations();
        dma.enter();
        assertFalse(dma.live());
        assertEquals(DmaResult.CLOSED, dma.access(0, 8, Access.READ, cursor));
        assertFalse(cursor.next());
        assertEquals(DmaResult.CLOSED, dma.read(0, host, 0, 8));
        assertEquals(DmaResult.CLOSED, dma.write(0, host, 0, 8));
        assertEquals(TranslateResult.NO_DOMAIN, dma.translate(0, Access.READ, (start, end, phys, permitted) -> {
            throw new AssertionError("a closed handle still translates");
        }));
        dma.leave();
        assertEquals(DmaResult.CLOSED, dma.send(0, 1));
        assertEquals(before, table.translations(), "nobody waits for a closed handle, so it must not translate");
        assertEquals(List.of(), table.faults);
        dma.close();
    }

    @Test
    void shouldKeepASectionThatIsOpenWorkingWhenItIsClosed() {
        table.map(0, 0xfff, 0, BOTH);
        LittleEndian.putI64(ram.segment(), 0, 77);
        Thread closer = new Thread(dma::close, "closer");
        Runnable read = () -> {
            assertTrue(dma.live());
            assertEquals(DmaResult.OK, dma.read(0, host, 0, 8));
        };
        try (ParkedReader reader = ParkedReader.in(dma, read, read)) {
            closer.start();
            // Close waits a second before it reports; in this time or after it, it must not come back.
            ParkedReader.await(stalled);
            assertTrue(closer.isAlive(), "close came back while a section was open");
            reader.letGo();
        }
        ParkedReader.finish(closer);
        assertEquals(77, LittleEndian.i64(host, 0));
        dma.enter();
        assertEquals(DmaResult.CLOSED, dma.read(0, host, 0, 8));
        dma.leave();
    }

    @Test
    void shouldLeaveNoReaderBehindWhenHandlesAreClosed() {
        int memoryReaders = memory.gracePeriods().count();
        int tableReaders = table.readers.count();
        GracePeriods others = new GracePeriods((holder, waitedNanos) -> { });
        TranslationCaches caches = new TranslationCaches();
        Translator caching = new Forwarding(table) {
            @Override
            public TranslationCaches caches() {
                return caches;
            }

            @Override
            public void faulted(TranslateResult reason, long iova, Access access) {
                others.awaitAll(0);
            }
        };
        for (int i = 0; i < 1_000; i++) {
            DmaSpace.of(memory, caching).open("short-lived").close();
            DmaSpace.of(memory, caching).messages("short-lived").close();
        }
        assertEquals(memoryReaders, memory.gracePeriods().count());
        assertEquals(tableReaders, table.readers.count());
        assertEquals(0, caches.count());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldLeaveNoReaderBehindWhenATranslatorThrowsAsItIsJoinedOrParted(boolean error) {
        int readers = memory.gracePeriods().count();
        Translator joined = new Throwing(table, error) {
            @Override
            public void join(ReaderSlot slot) {
                super.join(slot);
                fail();
            }
        };
        assertThrows(Throwable.class, () -> DmaSpace.of(memory, joined).open("never"));
        Translator parted = new Throwing(table, error) {
            @Override
            public void part(ReaderSlot slot) {
                fail();
            }
        };
        DmaHandle handle = DmaSpace.of(memory, parted).open("leaves");
        assertThrows(Throwable.class, handle::close);
        assertEquals(readers, memory.gracePeriods().count());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldKnowNothingOfWhatATranslatorSaidBeforeItThrew(boolean error) {
        table.map(0, 0xfff, 0, BOTH);
        Translator throwing = new Throwing(table, error) {
            @Override
            public TranslateResult translate(long iova, Access access, ExtentSink out) {
                if (iova >= 0x1000) {
                    out.extent(0x1000, 0x1fff, 0, BOTH);
                    fail();
                }
                return super.translate(iova, access, out);
            }
        };
        DmaHandle handle = DmaSpace.of(memory, throwing).open("throws");
        handle.enter();
        assertThrows(Throwable.class, () -> handle.access(0xff8, 16, Access.READ, cursor));
        assertFalse(cursor.next(), "pieces of a buffer that was not found");
        assertThrows(Throwable.class, () -> handle.read(0x1000, host, 0, 8));
        assertEquals(DmaResult.OK, handle.read(0, host, 0, 8));
        handle.leave();
        handle.close();
    }

    @Test
    void shouldKeepTheOtherHandlesOfTheSpaceWorkingWhenOneIsClosed() {
        table.map(0, 0xfff, 0, BOTH);
        DmaHandle other = DmaSpace.of(memory, table).open("other");
        dma.close();
        other.enter();
        assertTrue(other.live());
        assertEquals(DmaResult.OK, other.read(0, host, 0, 8));
        other.leave();
    }

    private static void assertOutside(Executable call) {
        IllegalStateException refused = assertThrows(IllegalStateException.class, call);
        assertTrue(String.valueOf(refused.getMessage()).contains("section=none on block 3"), refused.getMessage());
    }

    /** Another translator's answers, or an exception. */
    private abstract static class Throwing extends Forwarding {

        private final boolean error;

        Throwing(Translator to, boolean error) {
            super(to);
            this.error = error;
        }

        void fail() {
            if (error) {
                throw new AssertionError("the embedder's");
            }
            throw new IllegalStateException("the embedder's");
        }

        @Override
        public void faulted(TranslateResult reason, long iova, Access access) {
            fail();
        }
    }

    /** Another translator's answers. */
    private abstract static class Forwarding implements Translator {

        private final Translator to;

        Forwarding(Translator to) {
            this.to = to;
        }

        @Override
        public TranslateResult translate(long iova, Access access, ExtentSink out) {
            return to.translate(iova, access, out);
        }

        @Override
        public long generation() {
            return to.generation();
        }

        @Override
        public void join(ReaderSlot slot) {
            to.join(slot);
        }

        @Override
        public void part(ReaderSlot slot) {
            to.part(slot);
        }
    }
}
