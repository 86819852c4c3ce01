// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vmm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.URISyntaxException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.os.NativeFailureException;
import org.virtio4j.os.memory.NativeMemory;

@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class HostMemoryTest {

    private static final long PAGE = GuestMemory.PAGE_SIZE;
    private static final long GIB = 1L << 30;

    @TempDir
    private Path folder = Path.of(".");

    @Test
    @EnabledOnOs(OS.LINUX)
    void shouldUseTheOperatingSystemWhenItMay() {
        assertTrue(NativeMemory.available(), "the tests are to run with --enable-native-access");
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void shouldCommitOnlyWhatIsTouched() throws IOException {
        long before = residentBytes();
        try (GuestMemory memory = GuestMemory.anonymous(0, 32 * GIB)) {
            MemorySegment ram = Objects.requireNonNull(memory.map().find(0)).segment();
            assertEquals(32 * GIB, ram.byteSize());
            for (long offset = 0; offset < 32 * GIB; offset += GIB) {
                assertEquals(0, LittleEndian.i64(ram, offset));
                LittleEndian.putI64(ram, offset, offset);
            }
            LittleEndian.putU8(ram, 32 * GIB - 1, 1);
            long used = residentBytes() - before;
            assertTrue(used < GIB, () -> used + " bytes were committed for 33 pages");
        }
    }

    @Test
    void shouldShareAFileWithAnotherMappingOfIt() throws IOException {
        Path file = fileOf(4 * PAGE);
        try (GuestMemory memory = new GuestMemory(); Arena arena = Arena.ofConfined();
                FileChannel channel = open(file)) {
            memory.addFile(0x10000, file, PAGE, 2 * PAGE);
            MemorySegment other = channel.map(FileChannel.MapMode.READ_WRITE, 0, 4 * PAGE, arena);
            DmaHandle dma = DmaSpace.identity(memory).open("test");
            MemorySegment data = arena.allocate(8, 8);

            LittleEndian.putI64(other, PAGE + 24, 0x1122_3344_5566_7788L);
            dma.enter();
            assertEquals(DmaResult.OK, dma.read(0x10018, data, 0, 8));
            assertEquals(0x1122_3344_5566_7788L, LittleEndian.i64(data, 0));
            LittleEndian.putI64(data, 0, -2);
            assertEquals(DmaResult.OK, dma.write(0x10000 + 2 * PAGE - 8, data, 0, 8));
            dma.leave();
            assertEquals(-2, LittleEndian.i64(other, 3 * PAGE - 8));
            assertEquals(0, LittleEndian.i64(other, 3 * PAGE));
        }
        try (RandomAccessFile content = new RandomAccessFile(file.toFile(), "r")) {
            content.seek(3 * PAGE - 8);
            assertEquals((byte) 0xfe, content.readByte(), "what was written is in the file");
        }
    }

    @Test
    void shouldRefuseAFileThatIsTooShort() throws IOException {
        Path file = fileOf(2 * PAGE);
        try (GuestMemory memory = new GuestMemory()) {
            String message = refused(() -> memory.addFile(0, file, PAGE, 2 * PAGE));
            assertTrue(message.contains("size=8192 offset=4096 reach past the end of"), message);
            assertTrue(message.contains("which has 8192 bytes; extend the file first"), message);
            assertEquals(2 * PAGE, Files.size(file), "a file that was refused must not have grown");
            assertEquals(0, memory.map().count());
        }
    }

    @Test
    void shouldRefuseAFileOffsetThatWouldMisalignTheMemory() throws IOException {
        Path file = fileOf(4 * PAGE);
        try (GuestMemory memory = new GuestMemory()) {
            for (long offset : new long[] {1, 8, PAGE - 16, -PAGE}) {
                String message = refused(() -> memory.addFile(0, file, offset, PAGE));
                assertTrue(message.contains("fileOffset=" + offset), message);
            }
            assertEquals(0, memory.map().count());
        }
    }

    @Test
    void shouldRefuseAFileThatIsNotThere() {
        try (GuestMemory memory = new GuestMemory()) {
            assertThrows(IOException.class, () -> memory.addFile(0, folder.resolve("missing"), 0, PAGE));
        }
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void shouldGivePagesBackAndStayMapped() throws IOException {
        long size = 64 << 20;
        try (HostMemory memory = HostMemory.collected(size)) {
            memory.segment().fill((byte) 1);
            long full = residentBytes();
            assertTrue(memory.giveBack(PAGE, size - 2 * PAGE));
            long given = full - residentBytes();
            assertTrue(given > size / 2, () -> given + " bytes went back");
            assertEquals(1, LittleEndian.u8(memory.segment(), 0));
            assertEquals(1, LittleEndian.u8(memory.segment(), size - 1));
            LittleEndian.putU8(memory.segment(), size / 2, 7);
            assertEquals(7, LittleEndian.u8(memory.segment(), size / 2));
        }
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void shouldNameTheReasonWhenPagesDoNotGoBack() {
        try (HostMemory memory = HostMemory.collected(2 * PAGE)) {
            NativeFailureException refused =
                    assertThrows(NativeFailureException.class, () -> memory.giveBack(8, PAGE));
            assertTrue(String.valueOf(refused.getMessage()).contains("EINVAL"), refused.getMessage());
            assertThrows(IndexOutOfBoundsException.class, () -> memory.giveBack(PAGE, 2 * PAGE));
        }
    }

    @Test
    void shouldKeepTheMemoryOfAFile() throws IOException {
        Path file = folder.resolve("ram");
        Files.write(file, new byte[] {1, 2, 3, 4});
        try (RandomAccessFile longer = new RandomAccessFile(file.toFile(), "rw")) {
            longer.setLength(PAGE);
        }
        try (HostMemory memory = HostMemory.file(file, 0, PAGE)) {
            assertFalse(memory.giveBack(0, PAGE));
            assertEquals(2, LittleEndian.u8(memory.segment(), 1));
        }
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void shouldGiveTheMemoryBackWhenClosedOrUnreachable() {
        HostMemory memory = HostMemory.collected(PAGE);
        MemorySegment closed = memory.segment();
        memory.close();
        memory.close();
        assertFalse(closed.scope().isAlive());
        MemorySegment unreachable = HostMemory.collected(PAGE).segment();
        while (unreachable.scope().isAlive()) {
            System.gc();
        }
    }

    @Test
    void shouldRefuseToMapNothing() {
        assertTrue(refused(() -> HostMemory.anonymous(0)).contains("size=0"));
        assertTrue(refused(() -> HostMemory.collected(-1)).contains("size=-1"));
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void shouldNameTheReasonWhenTheSystemRefuses() {
        OutOfMemoryError refused = assertThrows(OutOfMemoryError.class, () -> HostMemory.anonymous(1L << 60));
        assertTrue(String.valueOf(refused.getMessage()).contains("ENOMEM"), refused.getMessage());
    }

    @Test
    void shouldGiveTheMemoryBackWhenClosed() {
        HostMemory memory = HostMemory.anonymous(PAGE);
        MemorySegment segment = memory.segment();
        memory.close();
        assertThrows(IllegalStateException.class, () -> LittleEndian.u8(segment, 0));
    }

    @Test
    void shouldDoWithoutNativeAccess() throws IOException, InterruptedException, URISyntaxException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        if (Runtime.version().feature() >= 24) {
            command.add("--illegal-native-access=deny");
        }
        command.addAll(List.of("-Djava.io.tmpdir=" + folder, "-cp", String.join(File.pathSeparator,
                pathOf(HostMemory.class), pathOf(NativeMemory.class), pathOf(WithoutNativeAccess.class)),
                WithoutNativeAccess.class.getName()));
        Process child = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

        assertEquals(0, child.waitFor(), output);
        assertEquals(WithoutNativeAccess.DONE, output.strip());
        try (Stream<Path> left = Files.list(folder)) {
            assertFalse(left.anyMatch(path -> path.toString().endsWith(".ram")), "the file must be deleted at once");
        }
    }

    private Path fileOf(long size) throws IOException {
        Path file = folder.resolve("ram");
        try (RandomAccessFile content = new RandomAccessFile(file.toFile(), "rw")) {
            content.setLength(size);
        }
        return file;
    }

    private static FileChannel open(Path file) throws IOException {
        return FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
    }

    private static long residentBytes() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("VmRSS:")) {
                return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
            }
        }
        throw new AssertionError("no VmRSS");
    }

    private static String pathOf(Class<?> type) throws URISyntaxException {
        return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI()).toString();
    }

    private static String refused(Executable call) {
        return String.valueOf(assertThrows(IllegalArgumentException.class, call).getMessage());
    }
}
