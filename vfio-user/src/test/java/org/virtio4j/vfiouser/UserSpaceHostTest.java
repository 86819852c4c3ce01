// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A host in user space with a virtio driver and no machine around it, with the habits of a storage toolkit's: no text
 * in VERSION, every message with id 0, room for 4 KiB of each region's description, addresses that are its own virtual
 * ones, memory in pieces of 2 MiB, structures in BAR 4 where it expects them without a look at capabilities. It sets
 * bus mastering and INTx disable and never memory space, and rings no doorbell: whoever serves it has to look.
 */
@Timeout(60)
class UserSpaceHostTest {

    private static final int BAR = 4;
    private static final int STATUS = 0x14;
    private static final long DEVICE_CONFIG = 0x2000;
    private static final int PIECE = 2 << 20;
    private static final int PIECES = 2;
    private static final long BASE = 0x2000_0020_0000L;
    private static final long REQUEST = 0x10_0000;
    private static final int ATTACH = 1;

    /** What the host's RAM is. */
    enum Ram { SEALED, FILE }

    @TempDir
    private Path folder;
    private final Arena arena = Arena.ofConfined();
    private Served served;
    private TestClient host;
    private MemorySegment memory = MemorySegment.NULL;
    private int ram = -1;

    @BeforeEach
    void connect() throws IOException {
        served = new Served(folder);
        host = new TestClient(served.socket.path());
        assertEquals(0, ask(TestClient.VERSION, TestClient.body(4)).errno());
    }

    @AfterEach
    void close() {
        host.close();
        served.close();
        arena.close();
        if (ram >= 0) {
            Libc.close(ram);
        }
    }

    @Test
    void shouldDescribeEachRegionThatWasAnnounced() {
        int regions = ask(TestClient.GET_INFO, TestClient.body(16).putInt(16)).body().getInt(8);
        for (int index = 0; index < regions; index++) {
            ByteBuffer info = TestClient.body(4064).putInt(4064).putInt(0).putInt(index);
            TestClient.Answer answer = ask(TestClient.GET_REGION_INFO, info);
            assertEquals(0, answer.errno(), "region " + index);
            assertEquals(32, answer.body().capacity());
        }
    }

    @Test
    @DisplayName("PCI 6.2.2: memory space is about addresses, and this host names regions by number")
    void shouldReadConfigurationWithoutMemorySpace() {
        enable();
        assertEquals(0x404, value(TestClient.CONFIG, 4, 2));
        assertEquals(4096, value(BAR, DEVICE_CONFIG, 8), "page_size_mask");
        assertEquals(0, value(BAR, STATUS, 1));
    }

    @ParameterizedTest
    @EnumSource
    void shouldBeServedWithoutADoorbell(Ram kind) throws IOException {
        share(kind);
        enable();
        bringUp();
        offerAttach();
        served.iommu.poll();
        assertEquals(1, u16(0x2000 + 2), "used index");
        assertEquals(4, memory.get(ValueLayout.JAVA_INT, 0x2000 + 8), "used length");
        assertEquals(0, memory.get(ValueLayout.JAVA_BYTE, REQUEST + 0x100), "OK");
        assertEquals(1, served.iommu.liveDomains());

        assertEquals(0, write(BAR, 0x1c, 2, 0).errno(), "it takes its queue back so");
        for (int i = 0; i < PIECES; i++) {
            ByteBuffer unmap = TestClient.body(24).putInt(24).putInt(0).putLong(BASE + (long) i * PIECE).putLong(PIECE);
            TestClient.Answer answer = ask(TestClient.DMA_UNMAP, unmap, ram);
            assertEquals(0, answer.errno());
            assertEquals(PIECE, answer.body().getLong(16));
        }
    }

    private void share(Ram kind) throws IOException {
        ram = kind == Ram.SEALED ? Libc.memfd((long) PIECES * PIECE, Libc.SEAL_SHRINK)
                : Libc.open(Files.createFile(folder.resolve("ram")));
        Libc.truncate(ram, (long) PIECES * PIECE);
        memory = Libc.map(ram, (long) PIECES * PIECE, arena);
        for (int i = 0; i < PIECES; i++) {
            ByteBuffer map = TestClient.body(32).putInt(32).putInt(3).putLong((long) i * PIECE)
                    .putLong(BASE + (long) i * PIECE).putLong(PIECE);
            assertEquals(0, ask(TestClient.DMA_MAP, map, ram).errno());
        }
    }

    private void enable() {
        write(TestClient.CONFIG, 4, 2, value(TestClient.CONFIG, 4, 2) | 0x404);
    }

    /** Resets, negotiates and sets the request queue up, all queues by their registers' halves. */
    private void bringUp() {
        write(BAR, STATUS, 1, 0);
        write(BAR, STATUS, 1, value(BAR, STATUS, 1) | 1);
        write(BAR, STATUS, 1, value(BAR, STATUS, 1) | 2);
        write(BAR, 0x00, 4, 1);
        assertNotEquals(0, value(BAR, 0x04, 4) & 1, "VERSION_1");
        write(BAR, 0x08, 4, 0);
        write(BAR, 0x0c, 4, 0);
        write(BAR, 0x08, 4, 1);
        write(BAR, 0x0c, 4, 1);
        write(BAR, STATUS, 1, value(BAR, STATUS, 1) | 8);
        write(BAR, 0x16, 2, 0);
        long size = value(BAR, 0x18, 2);
        write(BAR, 0x16, 2, 0);
        ringAddress(0x20, BASE);
        ringAddress(0x28, BASE + size * 16);
        ringAddress(0x30, BASE + 0x2000);
        assertEquals(0, value(BAR, 0x1e, 2));
        write(BAR, 0x1c, 2, 1);
        write(BAR, STATUS, 1, value(BAR, STATUS, 1) | 4);
        assertEquals(15, value(BAR, STATUS, 1));
    }

    private void ringAddress(int register, long address) {
        write(BAR, register, 4, address & 0xffff_ffffL);
        write(BAR, register + 4, 4, address >>> 32);
    }

    /** ATTACH (5.13.6.3) in the first two descriptors; the available ring lies behind a table of full size. */
    private void offerAttach() {
        long size = value(BAR, 0x18, 2);
        memory.set(ValueLayout.JAVA_BYTE, REQUEST, (byte) ATTACH);
        memory.set(ValueLayout.JAVA_INT, REQUEST + 4, 1);
        memory.set(ValueLayout.JAVA_INT, REQUEST + 8, Served.ENDPOINT);
        memory.set(ValueLayout.JAVA_BYTE, REQUEST + 0x100, (byte) 0xee);
        descriptor(0, REQUEST, 20, 1, 1);
        descriptor(1, REQUEST + 0x100, 4, 2, 0);
        memory.set(ValueLayout.JAVA_SHORT, size * 16 + 4, (short) 0);
        memory.set(ValueLayout.JAVA_SHORT, size * 16 + 2, (short) 1);
    }

    private void descriptor(int index, long offset, int length, int flags, int next) {
        memory.set(ValueLayout.JAVA_LONG, index * 16L, BASE + offset);
        memory.set(ValueLayout.JAVA_INT, index * 16L + 8, length);
        memory.set(ValueLayout.JAVA_SHORT, index * 16L + 12, (short) flags);
        memory.set(ValueLayout.JAVA_SHORT, index * 16L + 14, (short) next);
    }

    private int u16(long offset) {
        return Short.toUnsignedInt(memory.get(ValueLayout.JAVA_SHORT, offset));
    }

    private TestClient.Answer write(int region, long offset, int width, long value) {
        ByteBuffer data = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(0, value);
        return ask(TestClient.REGION_WRITE, TestClient.body(16 + width).putLong(offset).putInt(region).putInt(width)
                .put(data.array(), 0, width));
    }

    private long value(int region, long offset, int width) {
        TestClient.Answer answer = ask(TestClient.REGION_READ,
                TestClient.body(16).putLong(offset).putInt(region).putInt(width));
        assertEquals(0, answer.errno());
        assertEquals(16 + width, answer.body().capacity());
        ByteBuffer value = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
        value.put(0, TestClient.bytes(answer.body(), 16));
        return value.getLong(0);
    }

    private TestClient.Answer ask(int command, ByteBuffer body, int... descriptors) {
        host.send(TestClient.message(0, command, 16L + body.capacity(), 0, body), descriptors);
        return host.answer(0, command);
    }
}
