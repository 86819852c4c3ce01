// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.dma;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.virtio4j.dma.translate.TranslateResult;
import org.virtio4j.vmm.Access;
import org.virtio4j.vmm.GuestMemory;

/** A gate stops all DMA of the spaces behind it, for a while, and of no other. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class DmaGateTest {

    private final CountDownLatch stalled = new CountDownLatch(1);
    private final GuestMemory memory = new GuestMemory((holder, waitedNanos) -> stalled.countDown());
    private final TableTranslator table = new TableTranslator();
    private final DmaGate gate = new DmaGate(memory);
    private final DmaSpace space = DmaSpace.of(memory, table).behind(gate);
    private final DmaHandle dma = space.open("behind the gate");
    private final DmaHandle other = DmaSpace.identity(memory).open("beside it");
    private final DmaCursor cursor = new DmaCursor();
    private final MemorySegment host = Arena.ofAuto().allocate(64, 8);

    DmaGateTest() {
        memory.addAnonymous(0, GuestMemory.PAGE_SIZE);
        table.map(0, 0xfff, 0, TableTranslator.BOTH);
    }

    @AfterEach
    void close() {
        ParkedReader.leaveIfInside(dma);
        ParkedReader.leaveIfInside(other);
        memory.close();
    }

    @Test
    void shouldBeClosedUntilItIsOpened() {
        assertFalse(gate.isOpen());
        assertStopped();
        gate.open();
        assertTrue(gate.isOpen());
        assertGoesThrough();
        gate.close();
        assertFalse(gate.isOpen());
        assertStopped();
        gate.open();
        assertGoesThrough();
        assertEquals(List.of(), table.faults, "what the gate stops is no fault");
    }

    @Test
    void shouldStopOnlyWhatIsBehindIt() {
        other.enter();
        assertEquals(DmaResult.OK, other.access(0, 8, Access.WRITE, cursor));
        other.leave();
        assertTrue(space.translated(), "behind a gate addresses mean what they meant");
        assertFalse(DmaSpace.identity(memory).behind(gate).translated());
    }

    @Test
    void shouldLetTheSectionEndThatIsOpenWhenItCloses() {
        gate.open();
        try (ParkedReader reader = ParkedReader.in(dma, () -> { },
                () -> assertEquals(DmaResult.OK, dma.write(0, host, 0, 8)))) {
            CountDownLatch closed = new CountDownLatch(1);
            Thread closer = new Thread(() -> {
                gate.close();
                closed.countDown();
            });
            closer.start();
            ParkedReader.await(stalled);
            assertEquals(1, closed.getCount(), "closed while a section was open");
            reader.letGo();
            ParkedReader.await(closed);
            ParkedReader.finish(closer);
        }
        assertStopped();
    }

    private void assertStopped() {
        dma.enter();
        assertFalse(dma.live());
        assertEquals(DmaResult.CLOSED, dma.access(0, 8, Access.READ, cursor));
        assertEquals(DmaResult.CLOSED, dma.read(0, host, 0, 8));
        assertEquals(DmaResult.CLOSED, dma.write(0, host, 0, 8));
        assertEquals(TranslateResult.NO_DOMAIN, dma.translate(0, Access.READ, (start, end, phys, permitted) -> { }));
        dma.leave();
    }

    private void assertGoesThrough() {
        dma.enter();
        assertTrue(dma.live());
        assertEquals(DmaResult.OK, dma.write(0, host, 0, 8));
        dma.leave();
    }
}
