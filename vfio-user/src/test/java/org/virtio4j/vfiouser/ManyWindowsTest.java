// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.dma.DmaSpace;

/**
 * As many windows as the handshake announces ({@code max_dma_maps}), whatever the guest's memory comes as; and how few
 * mappings of the process they cost. The machine of an s390x guest gives a window for each page.
 */
@Timeout(300)
class ManyWindowsTest {

    private static final int ENOSPC = 28;
    private static final int READ_WRITE = 3;
    private static final int ALL = 2;
    private static final int ANNOUNCED = 65_535;
    private static final long PAGE = 4096;
    private static final int PAGES = 2048;

    enum Kind {
        DESCRIPTORS, MEMORY_FILE, NO_DESCRIPTORS;

        private VfioUserOptions options(Path file) {
            return switch (this) {
                case DESCRIPTORS -> VfioUserOptions.DEFAULT;
                case MEMORY_FILE -> VfioUserOptions.DEFAULT.withMemoryFile(file);
                case NO_DESCRIPTORS -> VfioUserOptions.DEFAULT.withoutDescriptors(file);
            };
        }
    }

    @TempDir
    private Path folder;

    @ParameterizedTest
    @EnumSource
    void shouldTakeAsManyWindowsAsAnnouncedAndGiveThemBackOneByOne(Kind kind) throws IOException {
        Path file = folder.resolve("guest.ram");
        try (RandomAccessFile created = new RandomAccessFile(file.toFile(), "rw")) {
            created.setLength(PAGES * PAGE);
        }
        int memory = kind == Kind.DESCRIPTORS ? Libc.memfd(PAGES * PAGE, Libc.SEAL_SHRINK) : Libc.open(file);
        number(memory);
        try (Served served = new Served(folder, kind.options(file)); TestClient client = served.connect();
                DmaHandle dma = DmaSpace.identity(served.socket.memory()).open("test")) {
            OpenThings before = OpenThings.now();
            for (int round = 0; round < 2; round++) {
                mapAnnounced(client, memory);
                assertEquals(ENOSPC, client.map(ANNOUNCED * 2 * PAGE, PAGE, 0, READ_WRITE, memory).errno());
                assertEquals(ANNOUNCED, served.socket.windows());
                assertEquals(before.mappings() + 1, OpenThings.now().mappings());
                for (int i = 0; i < ANNOUNCED; i += 11) {
                    assertEquals(pageOf(i), numberAt(dma, 2L * i * PAGE));
                }
                if (round == 0) {
                    for (int i = 0; i < ANNOUNCED; i++) {
                        assertEquals(0, client.unmap(2L * i * PAGE, PAGE, 0).errno());
                    }
                } else {
                    assertEquals(ANNOUNCED * PAGE, client.unmap(0, 0, ALL).body().getLong(16));
                }
                assertEquals(0, served.socket.windows());
                assertEquals(0, served.socket.memory().map().count());
                OpenThings.awaitNoMoreThan(before);
            }
            assertEquals(Optional.empty(), served.socket.failure());
        } finally {
            Libc.close(memory);
        }
    }

    @Test
    void shouldMapOnceForReadingAndOnceForWriting() throws IOException {
        int memory = Libc.memfd(PAGES * PAGE, Libc.SEAL_SHRINK);
        int again = Libc.memfd(PAGES * PAGE, Libc.SEAL_SHRINK);
        try (Served served = new Served(folder); TestClient client = served.connect()) {
            OpenThings before = OpenThings.now();
            for (int i = 0; i < 40; i++) {
                assertEquals(0, client.map(i * PAGE, PAGE, i * PAGE, 1 + i % 2 * 2, memory).errno());
            }
            assertEquals(before.mappings() + 2, OpenThings.now().mappings());
            assertEquals(0, client.map(40 * PAGE, PAGE, 0, READ_WRITE, again).errno());
            assertEquals(before.mappings() + 3, OpenThings.now().mappings(), "other memory");
            for (int i = 0; i < 40; i += 2) {
                client.unmap(i * PAGE, PAGE, 0);
            }
            assertEquals(before.mappings() + 2, OpenThings.now().mappings());
            client.unmap(40 * PAGE, PAGE, 0);
            client.unmap(0, 39 * PAGE, 0);
            assertEquals(before.mappings() + 1, OpenThings.now().mappings(), "one window is left");
        } finally {
            Libc.close(memory);
            Libc.close(again);
        }
    }

    @Test
    void shouldMapMemoryAnewThatHasGrown() throws IOException {
        int memory = Libc.memfd(PAGE, Libc.SEAL_SHRINK);
        try (Served served = new Served(folder); TestClient client = served.connect();
                DmaHandle dma = DmaSpace.identity(served.socket.memory()).open("test")) {
            OpenThings before = OpenThings.now();
            assertEquals(0, client.map(0, PAGE, 0, READ_WRITE, memory).errno());
            assertEquals(TestClient.EINVAL, client.map(PAGE, PAGE, PAGE, READ_WRITE, memory).errno(), "not there yet");
            Libc.truncate(memory, PAGES * PAGE);
            number(memory);
            assertEquals(0, client.map(7 * PAGE, PAGE, 7 * PAGE, READ_WRITE, memory).errno());
            assertEquals(before.mappings() + 2, OpenThings.now().mappings());
            assertEquals(1, numberAt(dma, 0));
            assertEquals(8, numberAt(dma, 7 * PAGE));
            assertEquals(0, client.unmap(0, PAGE, 0).errno());
            assertEquals(0, client.map(0, PAGE, PAGE, READ_WRITE, memory).errno());
            assertEquals(before.mappings() + 1, OpenThings.now().mappings());
            assertEquals(2, numberAt(dma, 0));
        } finally {
            Libc.close(memory);
        }
    }

    @Test
    void shouldMapAWindowAloneWhereAllOfItsMemoryIsTooMuch() throws IOException {
        int huge = Libc.memfd(4 * MappedFiles.MOST_BYTES, Libc.SEAL_SHRINK);
        try (Served served = new Served(folder); TestClient client = served.connect()) {
            OpenThings before = OpenThings.now();
            assertEquals(0, client.map(0, PAGE, PAGE, READ_WRITE, huge).errno());
            assertEquals(0, client.map(PAGE, PAGE, PAGE, READ_WRITE, huge).errno(), "the same part");
            assertEquals(before.mappings() + 1, OpenThings.now().mappings());
            assertEquals(0, client.map(2 * PAGE, PAGE, 7 * PAGE, READ_WRITE, huge).errno());
            assertEquals(before.mappings() + 2, OpenThings.now().mappings());
            client.unmap(0, 0, ALL);
            assertEquals(before.mappings(), OpenThings.now().mappings());
        } finally {
            Libc.close(huge);
        }
    }

    @Test
    void shouldLeaveAddressesForOthers() throws IOException {
        long half = MappedFiles.MOST_BYTES / 2;
        int[] huge = {Libc.memfd(half, Libc.SEAL_SHRINK), Libc.memfd(half, Libc.SEAL_SHRINK),
                Libc.memfd(half, Libc.SEAL_SHRINK)};
        try (Served served = new Served(folder); TestClient client = served.connect()) {
            assertEquals(0, client.map(0, half, 0, READ_WRITE, huge[0]).errno());
            assertEquals(0, client.map(half, half, 0, READ_WRITE, huge[1]).errno());
            assertEquals(0, client.map(2 * half, half, 0, READ_WRITE, huge[1]).errno(), "these addresses are taken");
            assertEquals(ENOSPC, client.map(3 * half, PAGE, 0, READ_WRITE, huge[2]).errno());
            assertEquals(0, client.unmap(0, half, 0).errno());
            assertEquals(0, client.map(3 * half, half, 0, READ_WRITE, huge[2]).errno());
        } finally {
            for (int memory : huge) {
                Libc.close(memory);
            }
        }
    }

    @Test
    void shouldLeaveMappingsForOthers() throws IOException {
        try (Served served = new Served(folder); TestClient client = served.connect()) {
            OpenThings before = OpenThings.now();
            for (int i = 0; i <= MappedFiles.MOST; i++) {
                int memory = Libc.memfd(PAGE, Libc.SEAL_SHRINK);
                assertEquals(i < MappedFiles.MOST ? 0 : ENOSPC,
                        client.map(i * PAGE, PAGE, 0, READ_WRITE, memory).errno());
                Libc.close(memory);
            }
            assertEquals(MappedFiles.MOST, served.socket.windows());
            client.unmap(0, 0, ALL);
            assertEquals(before.mappings(), OpenThings.now().mappings());
        }
    }

    @Test
    void shouldKeepLittleForEachWindow() throws IOException {
        int memory = Libc.memfd(PAGES * PAGE, Libc.SEAL_SHRINK);
        try (Served served = new Served(folder); TestClient client = served.connect()) {
            mapAnnounced(client, memory);
            client.unmap(0, 0, ALL);
            HeldMemory none = HeldMemory.now();
            mapAnnounced(client, memory);
            HeldMemory mapped = HeldMemory.now();
            client.unmap(0, 0, ALL);
            for (int i = 0; i < ANNOUNCED; i++) {
                assertEquals(0, client.map(i * PAGE, PAGE, 0, READ_WRITE).errno());
            }
            assertEquals(ENOSPC, client.map(ANNOUNCED * PAGE, PAGE, 0, READ_WRITE).errno());
            HeldMemory nowhere = HeldMemory.now();
            assertTrue(mapped.heap() - none.heap() < ANNOUNCED * 512L);
            assertTrue(nowhere.heap() - none.heap() < ANNOUNCED * 256L);
        } finally {
            Libc.close(memory);
        }
    }

    /** Every other page, so that no two windows could be one. */
    private static void mapAnnounced(TestClient client, int memory) {
        for (int i = 0; i < ANNOUNCED; i++) {
            assertEquals(0, client.map(2L * i * PAGE, PAGE, pageOf(i) * PAGE - PAGE, READ_WRITE, memory).errno());
        }
    }

    /** The number of the page that a window leads to, from 1. */
    private static long pageOf(int window) {
        return 1 + window * 797L % PAGES;
    }

    private static void number(int memory) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment all = Libc.map(memory, PAGES * PAGE, arena);
            for (int i = 0; i < PAGES; i++) {
                all.set(ValueLayout.JAVA_LONG, i * PAGE + 8, i + 1);
            }
        }
    }

    private static long numberAt(DmaHandle dma, long address) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment number = arena.allocate(8);
            dma.enter();
            assertEquals(DmaResult.OK, dma.read(address + 8, number, 0, 8));
            dma.leave();
            return number.get(ValueLayout.JAVA_LONG, 0);
        }
    }
}
