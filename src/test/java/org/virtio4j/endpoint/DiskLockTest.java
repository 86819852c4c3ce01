// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.fixture.Parked;
import org.virtio4j.os.file.ImageLock;

/** A file is written by one disk, or read by several; of this process, of another, or of QEMU. */
@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class DiskLockTest {

    private static final int BYTES = 65_536;
    private static final String MEND = "; end that first, or set lock=off if both are meant to use the file";

    @TempDir
    private Path folder;
    private Path image;

    @BeforeEach
    void makeImage() throws IOException {
        image = Files.write(folder.resolve("disk.img"), new byte[BYTES]);
    }

    @ParameterizedTest
    @ValueSource(strings = {"disk.img", "sub/../disk.img", "symbolic.img", "hard.img"})
    @DisplayName("Two disks of one process do not write one file, whatever its names are")
    void shouldRefuseASecondWriterUnderAnyName(String name) throws IOException {
        Files.createDirectory(folder.resolve("sub"));
        Files.createSymbolicLink(folder.resolve("symbolic.img"), image);
        Files.createLink(folder.resolve("hard.img"), image);
        Path second = folder.resolve(name);
        try (VirtioBlock disk = VirtioBlock.builder(image).build()) {
            assertEquals(second + ": another disk of this process holds it for writing" + MEND, refusal(second));
            assertThrows(IOException.class, VirtioBlock.builder(second).readOnly()::build);
            assertEquals(BYTES, disk.size());
        }
        VirtioBlock.builder(second).build().close();
    }

    @Test
    @DisplayName("Disks that only read share a file; the last of them keeps a writer away")
    void shouldShareAmongReaders() throws IOException {
        VirtioBlock first = VirtioBlock.builder(image).readOnly().build();
        VirtioBlock second = VirtioBlock.builder(image).readOnly().build();
        first.close();
        first.close();
        assertEquals(image + ": another disk of this process holds it for reading" + MEND, refusal(image));
        second.close();
        VirtioBlock.builder(image).build().close();
    }

    @Test
    @DisplayName("A disk that could not be made keeps nobody away")
    void shouldLeaveNothingBehindWhenRefused() throws IOException {
        Files.write(image, new byte[BYTES + 1]);
        assertThrows(IllegalArgumentException.class, VirtioBlock.builder(image)::build);
        assertThrows(IllegalArgumentException.class, VirtioBlock.builder(image).readOnly()::build);
        Files.write(image, new byte[BYTES]);
        assertQemuIsRefused(false);
        VirtioBlock.builder(image).lock(DiskLock.AUTO).build().close();
    }

    @Test
    @DisplayName("lock=off neither keeps anybody away nor asks who is there")
    void shouldLetEverybodyInWithoutALock() throws IOException {
        try (VirtioBlock disk = VirtioBlock.builder(image).build();
                VirtioBlock beside = VirtioBlock.builder(image).lock(DiskLock.OFF).build()) {
            assertEquals(disk.size(), beside.size());
            assertEquals(Optional.empty(), beside.lockNotice());
        }
        try (VirtioBlock beside = VirtioBlock.builder(image).lock(DiskLock.OFF).build();
                VirtioBlock disk = VirtioBlock.builder(image).build()) {
            assertEquals(disk.size(), beside.size());
        }
    }

    @Test
    @DisplayName("Without native calls auto says that other processes are not kept away, and on refuses")
    void shouldSayWhenOtherProcessesAreNotKeptAway() throws IOException {
        try (VirtioBlock disk = VirtioBlock.builder(image).build()) {
            String notice = image + " is not locked against other processes: native calls are not allowed here "
                    + "(--enable-native-access=org.virtio4j.os)";
            assertEquals(ImageLock.available() ? Optional.empty() : Optional.of(notice), disk.lockNotice());
        }
        if (ImageLock.available()) {
            VirtioBlock.builder(image).lock(DiskLock.ON).build().close();
        } else {
            assertThrows(FileSystemException.class, VirtioBlock.builder(image).lock(DiskLock.ON)::build);
        }
    }

    @Test
    @DisplayName("Two processes of ours do not write one file")
    void shouldRefuseWhatAnotherProcessOfOursHolds() throws IOException {
        assumeLocks();
        try (OtherProcess other = OtherProcess.startJava(HeldDisk.class, image)) {
            other.awaitWord(HeldDisk.READY);
            assertEquals(image + ": another process holds it for writing" + MEND, refusal(image));
            assertTrue(other.isAlive());
        }
        VirtioBlock.builder(image).build().close();
    }

    @Test
    @DisplayName("QEMU does not write what we write or read, and reads what we read")
    void shouldKeepQemuAway() throws IOException {
        assumeLocks();
        try (VirtioBlock disk = VirtioBlock.builder(image).build()) {
            assertQemuIsRefused(true);
            assertEquals(BYTES, disk.size());
        }
        try (VirtioBlock disk = VirtioBlock.builder(image).readOnly().build()) {
            assertQemuIsRefused(true);
            assertEquals("", OtherProcess.refusal("qemu-io", "-r", "-f", "raw", "-c", "read 0 512", image.toString()));
            assertEquals(BYTES, disk.size());
        }
        assertQemuIsRefused(false);
    }

    @Test
    @DisplayName("A lock outlives other descriptors of the file, which would end one of FileChannel.lock")
    void shouldStayLockedWhenAnotherDescriptorCloses() throws IOException {
        assumeLocks();
        try (VirtioBlock disk = VirtioBlock.builder(image).build()) {
            FileChannel.open(image, StandardOpenOption.READ, StandardOpenOption.WRITE).close();
            assertEquals(BYTES, disk.size());
            assertQemuIsRefused(true);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"AUTO", "ON"})
    @DisplayName("We do not write what QEMU writes, nor read it while it changes")
    void shouldStayAwayFromWhatQemuWrites(DiskLock lock) throws IOException {
        assumeLocks();
        String held = image + ": another process holds it for writing" + MEND;
        try (OtherProcess qemu = OtherProcess.start("qemu-io", "-f", "raw", image.toString())) {
            qemu.awaitWord("qemu-io> ");
            assertEquals(held, refusal(VirtioBlock.builder(image).lock(lock)));
            assertEquals(held, refusal(VirtioBlock.builder(image).lock(lock).readOnly()));
            assertTrue(qemu.isAlive());
        }
        VirtioBlock.builder(image).lock(lock).build().close();
    }

    @Test
    @DisplayName("We read what QEMU reads")
    void shouldShareWithQemuThatReads() throws IOException {
        assumeLocks();
        try (OtherProcess qemu = OtherProcess.start("qemu-io", "-r", "-f", "raw", image.toString())) {
            qemu.awaitWord("qemu-io> ");
            VirtioBlock.builder(image).readOnly().lock(DiskLock.ON).build().close();
            assertTrue(qemu.isAlive());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"on", "off"})
    @DisplayName("We stay away from what a QEMU daemon exports for writing, and from what must keep its length")
    void shouldStayAwayFromAnExport(String writable) throws IOException {
        assumeLocks();
        Path started = folder.resolve("pid");
        try (OtherProcess qemu = OtherProcess.start("qemu-storage-daemon",
                "--blockdev", "file,node-name=f,filename=" + image,
                "--nbd-server", "addr.type=unix,addr.path=" + folder.resolve("nbd.sock"),
                "--export", "nbd,id=e,node-name=f,writable=" + writable, "--pidfile", started.toString())) {
            Parked.until(() -> Files.exists(started) || !qemu.isAlive());
            assertTrue(qemu.isAlive());
            boolean written = writable.equals("on");
            assertEquals(image + ": another process " + (written ? "holds it for writing"
                    : "holds it and allows no resizing") + MEND, refusal(image));
            if (!written) {
                VirtioBlock.builder(image).readOnly().lock(DiskLock.ON).build().close();
            }
        }
    }

    private void assertQemuIsRefused(boolean refused) {
        assertRefusal(refused, OtherProcess.refusal("qemu-io", "-f", "raw", "-c", "write 0 512", image.toString()));
        assertRefusal(refused, OtherProcess.refusal("qemu-img", "resize", "-f", "raw", image.toString(), "+0"));
    }

    private static void assertRefusal(boolean refused, String said) {
        assertEquals(refused, said.contains("lock"), said);
    }

    private static void assumeLocks() {
        Assumptions.assumeTrue(ImageLock.available(), "native calls are not allowed here");
    }

    private static String refusal(Path file) {
        return refusal(VirtioBlock.builder(file));
    }

    private static String refusal(VirtioBlockBuilder builder) {
        return String.valueOf(assertThrows(FileSystemException.class, builder::build).getMessage());
    }
}
