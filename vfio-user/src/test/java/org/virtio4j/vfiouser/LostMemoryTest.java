// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.dma.DmaSpace;

/** Memory of a client that is not there when a device touches it. */
@Timeout(60)
class LostMemoryTest extends ServedTest {

    private static final long SIZE = 2 << 20;
    private static final int READ_WRITE = 3;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment scratch = arena.allocate(4096);
    private DmaHandle dma;

    @BeforeEach
    void connect() {
        dma = DmaSpace.identity(served.socket.memory()).open("a device");
    }

    @AfterEach
    void close() {
        dma.close();
        arena.close();
    }

    @Test
    @DisplayName("A section that meets memory that was cut short ends with an error, and holds up nobody")
    void shouldThrowInTheSectionWhenMemoryIsCutShort() {
        int memory = Libc.memfd(SIZE, 0);
        assertEquals(0, client.map(0, SIZE, 0, READ_WRITE, memory).errno());
        for (int i = 0; i < 20_000; i++) {
            assertEquals(DmaResult.OK, section());
        }
        Libc.truncate(memory, 0);
        assertThrows(InternalError.class, this::section);
        assertThrows(InternalError.class, this::section, "the first one was left");
        Libc.truncate(memory, SIZE);
        assertEquals(DmaResult.OK, section());
        assertEquals(0, client.unmap(0, SIZE, 0).errno(), "which waits for sections");
        Libc.close(memory);
    }

    @Test
    @DisplayName("Huge pages of which there are none left: the same")
    void shouldThrowInTheSectionWhenThereIsNoHugePage() {
        int memory = Libc.hugeMemfd(SIZE);
        Assumptions.assumeTrue(memory >= 0, "this kernel has no huge pages to share");
        int errno = client.map(0, SIZE, 0, READ_WRITE, memory).errno();
        Libc.close(memory);
        Assumptions.assumeTrue(errno == 0, () -> "huge pages cannot be mapped here: error " + errno);
        try {
            assertEquals(DmaResult.OK, section());
            Assumptions.abort("there are free huge pages here");
        } catch (InternalError expected) {
            assertEquals(0, client.unmap(0, SIZE, 0).errno(), "which waits for sections");
            assertTrue(served.socket.failure().isEmpty());
        }
    }

    private DmaResult section() {
        dma.enter();
        try {
            return dma.read(0x1000, scratch, 0, scratch.byteSize());
        } finally {
            dma.leave();
        }
    }
}
