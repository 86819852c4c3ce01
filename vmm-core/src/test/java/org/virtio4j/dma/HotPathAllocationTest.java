// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.dma;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.sun.management.ThreadMXBean;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.virtio4j.vmm.Access;
import org.virtio4j.vmm.GuestMemory;

/** What a device does for each buffer costs no byte of heap, in the interpreter as little as compiled. */
class HotPathAllocationTest {

    private static final long PAGE = GuestMemory.PAGE_SIZE;
    private static final int ROUNDS = 3_000;
    private static final int ATTEMPTS = 3;
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private final GuestMemory memory = new GuestMemory();
    private final TableTranslator table = new TableTranslator();
    private final DmaHandle identity = DmaSpace.identity(memory).open("identity");
    private final DmaHandle translated = DmaSpace.of(memory, table).open("translated");
    private final MessageSender sender = DmaSpace.identity(memory).messages("any thread");
    private final DmaCursor cursor = new DmaCursor();
    private final MemorySegment host = Arena.ofAuto().allocate(8 * PAGE, 8);
    private int messages;

    HotPathAllocationTest() {
        memory.addAnonymous(0, 8 * PAGE);
        memory.addAnonymous(8 * PAGE, 8 * PAGE);
        memory.addDoorbell(0xfee0_0000L, PAGE, (requester, address, data) -> messages++);
        for (long page = 0; page < 16; page++) {
            table.map(page * PAGE, page * PAGE + PAGE - 1, page * 5 % 16 * PAGE, TableTranslator.BOTH);
        }
        memory.dirtyLog().start(4096);
    }

    @AfterEach
    void close() {
        ParkedReader.leaveIfInside(identity);
        ParkedReader.leaveIfInside(translated);
        memory.close();
    }

    @Test
    void shouldAllocateNothingForAccessesThroughTheIdentity() {
        assertAllocatesNothing(() -> useAll(identity));
    }

    @Test
    void shouldAllocateNothingForAccessesThroughATranslator() {
        assertAllocatesNothing(() -> useAll(translated));
    }

    @Test
    void shouldAllocateNothingForMessagesAndWaits() {
        assertAllocatesNothing(() -> {
            identity.send(0xfee0_0010L, 1);
            identity.send(0x1_0000_0000L, 1);
            sender.send(0xfee0_0010L, 1);
            sender.send(0x1_0000_0000L, 1);
            memory.gracePeriods().awaitAll(1_000_000_000L);
        });
    }

    private void useAll(DmaHandle dma) {
        dma.enter();
        dma.generation();
        dma.access(PAGE - 8, 3 * PAGE, Access.WRITE, cursor);
        while (cursor.next()) {
            cursor.segment();
            cursor.written(cursor.length());
        }
        dma.read(7 * PAGE + 1, host, 0, 2 * PAGE);
        dma.write(7 * PAGE + 1, host, 0, 2 * PAGE);
        dma.write(0x10, host, 0, 64);
        dma.read(0x10, host, 0, 64);
        dma.leave();
    }

    /**
     * The first half loads classes and links call sites. Moving between interpreted and compiled code may cost some
     * bytes once; what a round costs would show in every attempt.
     */
    private static void assertAllocatesNothing(Runnable work) {
        long bytes = allocatedBytes(work);
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            bytes = Math.min(bytes, allocatedBytes(work));
        }
        assertEquals(0, bytes, "heap bytes in " + ROUNDS + " rounds");
    }

    private static long allocatedBytes(Runnable work) {
        long before = THREADS.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < ROUNDS; i++) {
            work.run();
        }
        return THREADS.getCurrentThreadAllocatedBytes() - before;
    }
}
