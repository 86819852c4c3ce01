// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.virtio4j.endpoint.TestFile.Operation;
import org.virtio4j.fixture.Parked;

/** What the host's file does to a disk, and what the disk does to nobody meanwhile. */
class BlockHostTest extends BlockTests {

    private static final int SECTORS = 512;

    @Test
    @DisplayName("A full disk of the host: IOERR, counted with the reason, and the queue goes on")
    void shouldAnswerIoerrWhenHostIsFull() {
        BlockMachine machine = start(disk(SECTORS));
        file().hook = (operation, position) -> {
            if (operation == Operation.WRITE) {
                throw new IOException("No space left on device");
            }
        };
        assertStatus(DiskRequests.S_IOERR, machine.send(DiskRequests.out(0, new byte[SECTOR]), 1));
        assertOutcome(BlockOutcome.FILE, 1);
        assertEquals("java.io.IOException: No space left on device", disk().counters().lastFileError());
        file().hook = (operation, position) -> { };
        assertStatus(DiskRequests.S_OK, machine.send(DiskRequests.out(0, new byte[SECTOR]), 1));
    }

    @Test
    @DisplayName("A file that was cut short: IOERR for what is gone, and stale data for nobody")
    void shouldAnswerIoerrWhenFileIsShort() {
        BlockMachine machine = start(disk(SECTORS));
        byte[] kept = Arrays.copyOf(contents(), 100 * SECTOR + 100);
        write(kept);
        DiskReply reply = machine.send(DiskRequests.in(99), 2 * SECTOR + 1);
        assertStatus(DiskRequests.S_IOERR, reply);
        assertTrue(reply.dataUntouched());
        assertStatus(DiskRequests.S_OK, machine.send(DiskRequests.in(99), SECTOR + 1));
    }

    @Test
    @DisplayName("A failure in the middle of a read: what was read before lies there, and the used length says so")
    void shouldNotOverReportWhenReadFails() {
        BlockMachine machine = start(disk(SECTORS));
        file().hook = (operation, position) -> {
            if (position >= 65_536) {
                throw new IOException("Input/output error");
            }
        };
        DiskReply reply = machine.send(DiskRequests.in(0), 200 * SECTOR + 1);
        assertStatus(DiskRequests.S_IOERR, reply);
        assertEquals(65_536, reply.used());
        assertArrayEquals(Arrays.copyOf(contents(), 65_536), Arrays.copyOf(reply.writable(), 65_536));
        assertEquals(0, disk().counters().bytesRead());
    }

    @Test
    @DisplayName("An interrupted thread closes a file channel: the file is opened again, the thread stays interrupted")
    void shouldOutliveInterrupts() {
        BlockMachine machine = start(disk(SECTORS).servedInKicks());
        byte[] data = random(1, SECTOR);
        Thread.currentThread().interrupt();
        DiskReply reply = machine.send(DiskRequests.out(5, data), 1);
        assertTrue(Thread.interrupted());
        assertStatus(DiskRequests.S_OK, reply);
        assertEquals(1, file().opened.get(), "an interrupt of before does not close the file");
        file().hook = (operation, position) -> {
            if (file().opened.get() == 1) {
                Thread.currentThread().interrupt();
            }
        };
        reply = machine.send(DiskRequests.in(5), SECTOR + 1);
        assertTrue(Thread.interrupted());
        assertStatus(DiskRequests.S_OK, reply);
        assertArrayEquals(data, reply.data());
        assertEquals(2, file().opened.get());
    }

    @Test
    @DisplayName("A file with another in its place when it is opened again: IOERR, counted, and the other untouched")
    void shouldNotGoOnWithAnotherFile() throws IOException {
        BlockMachine machine = start(disk(SECTORS).servedInKicks());
        byte[] before = contents();
        Path aside = path().resolveSibling("aside.img");
        Files.move(path(), aside);
        byte[] others = random(2, SECTORS * SECTOR);
        write(others);
        assertStatus(DiskRequests.S_OK, machine.send(DiskRequests.in(5), SECTOR + 1));
        interruptNext();
        assertStatus(DiskRequests.S_IOERR, machine.send(DiskRequests.out(5, new byte[SECTOR]), 1));
        assertTrue(Thread.interrupted());
        assertStatus(DiskRequests.S_IOERR, machine.send(DiskRequests.in(5), SECTOR + 1));
        assertOutcome(BlockOutcome.OTHER_FILE, 2);
        assertEquals("org.virtio4j.endpoint.DiskFailureException: " + path()
                + " is another file than the one that was opened first", disk().counters().lastFileError());
        assertArrayEquals(others, contents());
        Files.delete(path());
        assertStatus(DiskRequests.S_IOERR, machine.send(DiskRequests.in(5), SECTOR + 1));
        assertOutcome(BlockOutcome.FILE, 1);
        Files.move(aside, path());
        assertArrayEquals(before, contents());
        assertArrayEquals(Arrays.copyOfRange(before, 5 * SECTOR, 6 * SECTOR),
                machine.send(DiskRequests.in(5), SECTOR + 1).data());
    }

    @Test
    @DisplayName("5.2.6.2: a FLUSH that found another file in the place of its own has lost nothing")
    void shouldFlushWhenTheFileIsBack() throws IOException {
        BlockMachine machine = start(disk(SECTORS).servedInKicks());
        Path aside = path().resolveSibling("aside.img");
        Files.move(path(), aside);
        write(new byte[0]);
        interruptNext();
        assertStatus(DiskRequests.S_IOERR, machine.send(DiskRequests.flush(), 1));
        assertTrue(Thread.interrupted());
        assertOutcome(BlockOutcome.OTHER_FILE, 1);
        Files.move(aside, path(), StandardCopyOption.REPLACE_EXISTING);
        assertStatus(DiskRequests.S_OK, machine.send(DiskRequests.flush(), 1));
    }

    /** The next transfer finds its thread interrupted, and the channel is closed. */
    private void interruptNext() {
        file().hook = (operation, position) -> {
            file().hook = (later, place) -> { };
            Thread.currentThread().interrupt();
        };
    }

    @Test
    @DisplayName("While one queue waits for the host another is served")
    void shouldServeOtherQueuesMeanwhile() {
        BlockMachine machine = start(disk(SECTORS).queues(2));
        CountDownLatch there = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        holdUpFirst(there, go);
        machine.add(0, DiskRequests.in(0), SECTOR + 1, 1000);
        machine.kick(0);
        Parked.await(there);
        assertStatus(DiskRequests.S_OK, machine.send(1, DiskRequests.in(1), SECTOR + 1, 1000));
        assertNull(machine.poll(0));
        go.countDown();
        assertStatus(DiskRequests.S_OK, machine.await(0));
    }

    @Test
    @DisplayName("Nobody's UNMAP waits for the host; what was unmapped meanwhile is not written, and reported")
    void shouldHoldUpNoUnmap() {
        if (!kind.behindIommu) {
            return;
        }
        BlockMachine machine = start(disk(SECTORS));
        CountDownLatch there = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        holdUpFirst(there, go);
        byte[] request = DiskRequests.in(0);
        machine.area().write(0, request, 0, request.length);
        machine.area().fill(0x10000, 0x1000, 0x5c);
        machine.addAt(0, machine.address(0), request.length, machine.address(0x10000), SECTOR + 1);
        machine.kick(0);
        Parked.await(there);
        long stalls = machine.iommu().stalls();
        machine.unmap(0x10000);
        assertEquals(stalls, machine.iommu().stalls());
        go.countDown();
        assertEquals(0, machine.await(0).used());
        byte[] expected = new byte[0x1000];
        Arrays.fill(expected, (byte) 0x5c);
        assertArrayEquals(expected, Arrays.copyOfRange(machine.snapshot(), 0x10000, 0x11000));
        assertOutcome(BlockOutcome.MEMORY, 1);
        assertEquals(1, disk().counters().unwritableStatuses());
    }

    @Test
    @DisplayName("5.2.6: without threads a request is served by the end of the kick, or when it is polled for")
    void shouldServeInKicksAndPolls() {
        BlockMachine kicked = start(disk(SECTORS).servedInKicks());
        kicked.add(0, DiskRequests.in(0), SECTOR + 1, 1000);
        kicked.kick(0);
        assertStatus(DiskRequests.S_OK, Objects.requireNonNull(kicked.poll(0)));
        BlockMachine polled = start(disk(SECTORS).polled());
        polled.add(0, DiskRequests.in(0), SECTOR + 1, 1000);
        polled.add(0, DiskRequests.in(1), SECTOR + 1, 1000);
        polled.kick(0);
        assertNull(polled.poll(0));
        assertEquals(2, disk().poll(0));
        assertStatus(DiskRequests.S_OK, Objects.requireNonNull(polled.poll(0)));
        assertStatus(DiskRequests.S_OK, Objects.requireNonNull(polled.poll(0)));
        assertEquals(0, disk().poll(0));
    }

    private void holdUpFirst(CountDownLatch there, CountDownLatch go) {
        file().hook = (operation, position) -> {
            if (position == 0) {
                there.countDown();
                Parked.await(go);
            }
        };
    }
}
