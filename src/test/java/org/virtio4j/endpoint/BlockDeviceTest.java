// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.endpoint.DiskRequests.Range;
import org.virtio4j.os.file.ImageLock;

/** Section 5.2 on a block device of the host: loop devices, for which the tests must be root. */
class BlockDeviceTest extends BlockTests {

    private static final int SECTORS = 2048;

    private String device = "";

    @Test
    @DisplayName("5.2.4, 5.2.6: a block device is a disk of its length, and nothing is tried out on it")
    void shouldBeADiskOfTheDevicesLength() {
        byte[] before = attach(SECTOR);
        BlockMachine machine = start(onDevice());
        assertEquals(SECTORS, machine.config(0, 8));
        assertArrayEquals(before, machine.send(DiskRequests.in(0), SECTORS * SECTOR + 1).data());
        byte[] data = random(1, 3 * SECTOR);
        assertStatus(DiskRequests.S_OK, machine.send(DiskRequests.out(7, data), 1));
        assertStatus(DiskRequests.S_OK, machine.send(DiskRequests.flush(), 1));
        System.arraycopy(data, 0, before, 7 * SECTOR, data.length);
        assertArrayEquals(before, contents());
        assertStatus(DiskRequests.S_IOERR, machine.send(DiskRequests.in(SECTORS), SECTOR + 1));
    }

    @ParameterizedTest
    @ValueSource(ints = {SECTOR, 4096})
    @DisplayName("5.2.6.2: DISCARD and WRITE_ZEROES change no byte beside their ranges")
    void shouldErasePreciselyTheRange(int blockSize) {
        byte[] expected = attach(blockSize);
        BlockMachine machine = start(onDevice().blockSize(blockSize));
        assertEquals(ImageLock.available() ? 1 : 0, machine.config(56, 1), "write_zeroes_may_unmap");
        erase(machine, expected, DiskRequests.WRITE_ZEROES, new Range(8, 16, DiskRequests.UNMAP));
        erase(machine, expected, DiskRequests.WRITE_ZEROES, new Range(33, 1, DiskRequests.UNMAP));
        erase(machine, expected, DiskRequests.WRITE_ZEROES, new Range(41, 30, DiskRequests.UNMAP));
        erase(machine, expected, DiskRequests.WRITE_ZEROES, new Range(SECTORS - 3, 3, 0));
        assertStatus(DiskRequests.S_OK, machine.send(DiskRequests.ranges(DiskRequests.DISCARD,
                new Range(101, 3, 0), new Range(128, 64, 0)), 1));
        byte[] after = machine.send(DiskRequests.in(0), SECTORS * SECTOR + 1).data();
        // What is discarded may read as anything.
        System.arraycopy(after, 101 * SECTOR, expected, 101 * SECTOR, 3 * SECTOR);
        System.arraycopy(after, 128 * SECTOR, expected, 128 * SECTOR, 64 * SECTOR);
        assertArrayEquals(expected, after);
        assertStatus(DiskRequests.S_OK, machine.send(DiskRequests.flush(), 1));
        assertArrayEquals(expected, contents());
    }

    @Test
    @DisplayName("Blocks that are smaller than the device's are refused, with the mend")
    void shouldRefuseSmallerBlocksThanTheDeviceHas() {
        attach(4096);
        String message = assertThrows(IllegalArgumentException.class, onDevice().blockSize(2048)::build).getMessage();
        assertEquals("blockSize=2048, but " + device + " has blocks of 4096 bytes; set blockSize=4096 or a multiple of "
                + "it", message);
        assertEquals(SECTORS * SECTOR, build(onDevice().blockSize(8192)).size());
    }

    @Test
    @DisplayName("5.2.6.2: a device that has grown is followed, and one that has shrunk is reported")
    void shouldFollowTheLengthOfTheDevice() throws IOException {
        attach(SECTOR);
        BlockMachine machine = start(onDevice());
        FileSystemException same =
                assertThrows(FileSystemException.class, () -> disk().resize(2L * SECTORS * SECTOR));
        assertEquals(device + ": the device has " + SECTORS * SECTOR + " bytes by now, not " + 2 * SECTORS * SECTOR
                + "; make it as long as the disk is to be first", same.getMessage());
        assertEquals(SECTORS, machine.config(0, 8));
        makeBacking(2 * SECTORS);
        disk().resize(2L * SECTORS * SECTOR);
        assertEquals(2 * SECTORS, machine.config(0, 8));
        assertStatus(DiskRequests.S_OK, machine.send(DiskRequests.out(2 * SECTORS - 1, new byte[SECTOR]), 1));
        makeBacking(SECTORS);
        assertThrows(FileSystemException.class, () -> disk().resize(2L * SECTORS * SECTOR));
        assertStatus(DiskRequests.S_IOERR, machine.send(DiskRequests.in(2 * SECTORS - 1), SECTOR + 1));
        assertEquals("java.io.EOFException: the file ends at " + (2 * SECTORS - 1) * SECTOR,
                disk().counters().lastFileError());
        disk().resize((long) SECTORS * SECTOR);
        assertEquals(SECTORS, machine.config(0, 8));
    }

    @Test
    @DisplayName("A device that cannot be written is refused, unless it is only to be read")
    void shouldRefuseToWriteAReadOnlyDevice() {
        byte[] before = attach(SECTOR, "--read-only");
        assertThrows(FileSystemException.class, onDevice()::build);
        BlockMachine machine = start(onDevice().readOnly());
        assertArrayEquals(Arrays.copyOf(before, SECTOR), machine.send(DiskRequests.in(0), SECTOR + 1).data());
    }

    @Test
    @DisplayName("Two names of one device are one disk")
    void shouldRefuseASecondNodeOfTheDevice() throws IOException {
        attach(SECTOR);
        Path node = path().resolveSibling("node");
        OtherProcess.run("mknod", node.toString(), "b", OtherProcess.run("stat", "-c", "%Hr", device),
                OtherProcess.run("stat", "-c", "%Lr", device));
        build(onDevice());
        assertThrows(FileSystemException.class, VirtioBlock.builder(node)::build);
    }

    @Test
    @DisplayName("What is neither file nor block device is refused with a sentence, and nothing waits for a pipe")
    void shouldRefuseOtherKindsOfFiles() {
        disk(0);
        Path pipe = path().resolveSibling("pipe");
        OtherProcess.run("mkfifo", pipe.toString());
        assertKindRefused(path().resolveSibling("."), "a directory");
        assertKindRefused(pipe, "a named pipe");
        assertKindRefused(Path.of("/dev/null"), "a character device");
    }

    private static void assertKindRefused(Path file, String found) {
        for (VirtioBlockBuilder builder : List.of(VirtioBlock.builder(file), VirtioBlock.builder(file).readOnly())) {
            assertEquals(file + ": expected a file or a block device to be the disk, found " + found,
                    assertThrows(FileSystemException.class, builder::build).getMessage());
        }
    }

    /** Erases a range, on the disk and in what is expected of it. */
    private static void erase(BlockMachine machine, byte[] expected, int type, Range range) {
        assertStatus(DiskRequests.S_OK, machine.send(DiskRequests.ranges(type, range), 1));
        int from = (int) range.sector() * SECTOR;
        Arrays.fill(expected, from, from + range.count() * SECTOR, (byte) 0);
    }

    private VirtioBlockBuilder onDevice() {
        return VirtioBlock.builder(Path.of(device)).queueSize(BlockMachine.QUEUE_SIZE);
    }

    /** Makes a loop device with random contents, which are returned. */
    private byte[] attach(int blockSize, String... more) {
        disk(SECTORS);
        byte[] contents = contents();
        String[] command = {"losetup", "--find", "--show", "--sector-size", Integer.toString(blockSize)};
        String[] all = Arrays.copyOf(command, command.length + more.length + 1);
        System.arraycopy(more, 0, all, command.length, more.length);
        all[all.length - 1] = path().toString();
        device = OtherProcess.run(all);
        assertTrue(device.startsWith("/dev/"), device);
        return contents;
    }

    private void makeBacking(int sectors) {
        OtherProcess.run("truncate", "-s", Integer.toString(sectors * SECTOR), path().toString());
        OtherProcess.run("losetup", "--set-capacity", device);
    }

    @AfterEach
    void detach() throws IOException {
        closeMachines();
        if (!device.isEmpty()) {
            OtherProcess.run("losetup", "--detach", device);
        }
        Files.deleteIfExists(path());
    }
}
