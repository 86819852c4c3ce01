// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.dma;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.virtio4j.dma.TableTranslator.BOTH;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.virtio4j.vmm.GuestMemory;

/** Handles count what they look up; whoever they translate through can add it up. */
class LookupCountTest {

    private static final long PAGE = GuestMemory.PAGE_SIZE;

    private final GuestMemory memory = new GuestMemory();
    private final TableTranslator table = new TableTranslator();
    private final DmaHandle dma = DmaSpace.of(memory, table).open("counted");
    private final MemorySegment host = Arena.ofAuto().allocate(4 * PAGE, 8);

    LookupCountTest() {
        memory.addAnonymous(0, 16 * PAGE);
        table.map(0, 2 * PAGE - 1, 8 * PAGE, BOTH);
        table.map(2 * PAGE, 3 * PAGE - 1, PAGE, BOTH);
    }

    @AfterEach
    void close() {
        memory.close();
    }

    @Test
    void shouldCountOnePieceOfATransferForEachExtent() {
        dma.enter();
        dma.read(PAGE, host, 0, 2 * PAGE);
        dma.leave();
        assertCounts(2, 0);
    }

    @Test
    void shouldCountWhatTheLastTranslationAnswered() {
        dma.enter();
        dma.write(0, host, 0, 8);
        dma.write(8, host, 0, 8);
        dma.read(PAGE, host, 0, PAGE);
        dma.read(PAGE, host, 0, 2 * PAGE);
        dma.leave();
        assertCounts(5, 3);
    }

    @Test
    void shouldAskAgainInTheNextSection() {
        for (int i = 0; i < 2; i++) {
            dma.enter();
            dma.read(0, host, 0, 8);
            dma.leave();
        }
        assertCounts(2, 0);
    }

    @Test
    void shouldCountRefusedLookups() {
        dma.enter();
        dma.read(9 * PAGE, host, 0, 8);
        dma.leave();
        assertCounts(1, 0);
    }

    @Test
    void shouldRememberHandlesThatWereClosed() {
        try (DmaHandle other = DmaSpace.of(memory, table).open("other")) {
            for (DmaHandle handle : new DmaHandle[] {dma, other}) {
                handle.enter();
                handle.read(0, host, 0, 8);
                handle.read(0, host, 0, 8);
                handle.leave();
            }
            assertCounts(4, 2);
        }
        assertCounts(4, 2);
        dma.close();
        dma.close();
        assertCounts(4, 2);
    }

    private void assertCounts(long translations, long cacheHits) {
        assertEquals(translations + " " + cacheHits, table.readers.translations() + " " + table.readers.cacheHits());
    }
}
