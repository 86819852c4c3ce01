// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.virtio4j.device.ResetKind;
import org.virtio4j.driver.FeatureSet;
import org.virtio4j.endpoint.DiskRequests.Range;
import org.virtio4j.endpoint.TestFile.Operation;
import org.virtio4j.fixture.Parked;

/** Section 5.2.6.2, when a write becomes stable. */
class BlockStabilityTest extends BlockTests {

    private static final int SECTORS = 64;

    @Test
    @DisplayName("5.2.6.2, case 3: a FLUSH is answered after the file was forced, which is after the writes before it")
    void shouldAnswerFlushAfterForce() {
        BlockMachine machine = start(disk(SECTORS));
        CountDownLatch there = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        file().hook = (operation, position) -> {
            if (operation == Operation.FORCE) {
                there.countDown();
                Parked.await(go);
            }
        };
        assertStatus(DiskRequests.S_OK, machine.send(DiskRequests.out(1, random(1, SECTOR)), 1));
        machine.add(0, DiskRequests.flush(), 1, 1000);
        machine.kick(0);
        Parked.await(there);
        assertNull(machine.poll(0), "answered before the file was forced");
        go.countDown();
        assertStatus(DiskRequests.S_OK, machine.await(0));
        assertEquals(List.of(Operation.WRITE, Operation.FORCE), file().done);
    }

    @Test
    @DisplayName("5.2.6.2, case 3: a writeback cache is not forced for each write")
    void shouldNotForceWritesWhenWriteback() {
        BlockMachine machine = start(disk(SECTORS));
        assertStatus(DiskRequests.S_OK, machine.send(DiskRequests.out(1, random(1, SECTOR)), 1));
        assertStatus(DiskRequests.S_OK, machine.send(zeroes(), 1));
        assertEquals(List.of(Operation.WRITE, Operation.WRITE), file().done);
    }

    @Test
    @DisplayName("5.2.6.2, case 1: with neither FLUSH nor CONFIG_WCE a write is stable when it is completed")
    void shouldForceEachWriteWhenDriverCannotFlush() {
        BlockMachine machine = powerOn(disk(SECTORS));
        machine.start(machine.offered().without(DiskRequests.F_FLUSH).without(DiskRequests.F_CONFIG_WCE));
        assertWritesForced(machine);
    }

    @Test
    @DisplayName("5.2.6.2, case 1: so it is for firmware, which negotiates next to nothing")
    void shouldForceEachWriteForFirmware() {
        BlockMachine machine = powerOn(disk(SECTORS));
        machine.start(machine.offered().and(FeatureSet.of(32, 33)));
        assertStatus(DiskRequests.S_OK, machine.send(DiskRequests.out(1, random(1, SECTOR)), 1));
        assertEquals(List.of(Operation.WRITE, Operation.FORCE), file().done);
    }

    @Test
    @DisplayName("5.2.6.2: what does not offer FLUSH may commit each write all the same")
    void shouldForceEachWriteWhenFlushIsNotOffered() {
        assertWritesForced(start(disk(SECTORS).without(DiskRequests.F_FLUSH)));
    }

    @Test
    @DisplayName("5.2.6.2, case 2: with CONFIG_WCE and writeback at 0 a write is stable when it is completed")
    void shouldForceEachWriteWhenWritethroughIsChosen() {
        BlockMachine machine = start(disk(SECTORS));
        machine.transport().writeConfig(32, 1, 0);
        assertWritesForced(machine);
        machine.transport().writeConfig(32, 1, 1);
        assertStatus(DiskRequests.S_OK, machine.send(DiskRequests.out(1, random(1, SECTOR)), 1));
        assertEquals(Operation.WRITE, file().done.getLast());
    }

    @Test
    @DisplayName("5.2.6.2: a write that cannot be made stable is no success")
    void shouldFailWhenForceFails() {
        BlockMachine machine = start(disk(SECTORS));
        file().hook = (operation, position) -> {
            if (operation == Operation.FORCE) {
                throw new IOException("Input/output error");
            }
        };
        assertStatus(DiskRequests.S_IOERR, machine.send(DiskRequests.flush(), 1));
        machine.transport().writeConfig(32, 1, 0);
        assertStatus(DiskRequests.S_IOERR, machine.send(DiskRequests.out(1, random(1, SECTOR)), 1));
        assertOutcome(BlockOutcome.FILE, 1);
        assertOutcome(BlockOutcome.UNSTABLE, 1);
    }

    @Test
    @DisplayName("5.2.6.2: after a flush that failed none succeeds, for what the host has lost is on no storage")
    void shouldKeepAFlushFailed() throws IOException {
        BlockMachine machine = start(disk(SECTORS));
        failNextForce();
        assertStatus(DiskRequests.S_OK, machine.send(DiskRequests.out(1, random(1, SECTOR)), 1));
        assertStatus(DiskRequests.S_IOERR, machine.send(DiskRequests.flush(), 1));
        assertStatus(DiskRequests.S_IOERR, machine.send(DiskRequests.flush(), 1));
        assertEquals("org.virtio4j.endpoint.DiskFailureException: an earlier flush failed: java.io.IOException: "
                + "Input/output error", disk().counters().lastFileError());
        machine.reset(ResetKind.DEVICE);
        machine.start();
        assertStatus(DiskRequests.S_IOERR, machine.send(DiskRequests.flush(), 1));
        assertOutcome(BlockOutcome.FILE, 1);
        assertOutcome(BlockOutcome.UNSTABLE, 2);
        assertStatus(DiskRequests.S_OK, machine.send(DiskRequests.out(1, random(1, SECTOR)), 1));
        assertStatus(DiskRequests.S_OK, machine.send(DiskRequests.in(1), SECTOR + 1));
        disk().close();
        BlockMachine anew = powerOn(build(VirtioBlock.builder(path()).queueSize(BlockMachine.QUEUE_SIZE))).start();
        assertStatus(DiskRequests.S_OK, anew.send(DiskRequests.flush(), 1));
    }

    @Test
    @DisplayName("5.2.6.2: nor does a write of a writethrough cache, which must be stable when it completes")
    void shouldKeepAWriteFailedThatDidNotBecomeStable() {
        BlockMachine machine = start(disk(SECTORS).without(DiskRequests.F_FLUSH));
        failNextForce();
        assertStatus(DiskRequests.S_IOERR, machine.send(DiskRequests.out(1, random(1, SECTOR)), 1));
        assertStatus(DiskRequests.S_IOERR, machine.send(DiskRequests.out(2, random(1, SECTOR)), 1));
        assertStatus(DiskRequests.S_IOERR, machine.send(zeroes(), 1));
        assertOutcome(BlockOutcome.UNSTABLE, 2);
    }

    @Test
    @DisplayName("5.2.6.2: a loss that the host tells one queue of is known to the other before that is told of none")
    void shouldTellAllQueuesOfALoss() {
        BlockMachine machine = start(disk(SECTORS).queues(2));
        CountDownLatch there = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        AtomicBoolean told = new AtomicBoolean();
        file().hook = (operation, position) -> {
            if (operation == Operation.FORCE && told.compareAndSet(false, true)) {
                there.countDown();
                Parked.await(go);
                throw new IOException("Input/output error");
            }
        };
        machine.add(0, DiskRequests.flush(), 1, 1000);
        machine.kick(0);
        Parked.await(there);
        machine.add(1, DiskRequests.flush(), 1, 1000);
        machine.kick(1);
        assertNull(machine.poll(1), "told of success while another is told of a loss");
        go.countDown();
        assertStatus(DiskRequests.S_IOERR, machine.await(0));
        assertStatus(DiskRequests.S_IOERR, machine.await(1));
        assertOutcome(BlockOutcome.UNSTABLE, 1);
    }

    /** As Linux reports a loss: once. */
    private void failNextForce() {
        AtomicBoolean told = new AtomicBoolean();
        file().hook = (operation, position) -> {
            if (operation == Operation.FORCE && told.compareAndSet(false, true)) {
                throw new IOException("Input/output error");
            }
        };
    }

    private void assertWritesForced(BlockMachine machine) {
        file().done.clear();
        assertStatus(DiskRequests.S_OK, machine.send(DiskRequests.out(1, random(1, SECTOR)), 1));
        assertEquals(List.of(Operation.WRITE, Operation.FORCE), file().done);
        if (machine.driver().negotiated().has(DiskRequests.F_WRITE_ZEROES)) {
            file().done.clear();
            assertStatus(DiskRequests.S_OK, machine.send(zeroes(), 1));
            assertEquals(List.of(Operation.WRITE, Operation.FORCE), file().done);
        }
    }

    private static byte[] zeroes() {
        return DiskRequests.ranges(DiskRequests.WRITE_ZEROES, new Range(2, 3, 0));
    }
}
