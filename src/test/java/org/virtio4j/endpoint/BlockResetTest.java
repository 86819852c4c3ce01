// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.device.ResetKind;
import org.virtio4j.driver.StartResult;
import org.virtio4j.endpoint.DiskRequests.Range;
import org.virtio4j.endpoint.TestFile.Operation;
import org.virtio4j.fixture.Parked;

/** Section 2.4, resets in the middle of a request; and threads, which end with the activation they serve. */
class BlockResetTest extends BlockTests {

    private static final int SECTORS = 1024;
    private static final int LONG = 300;

    private final CountDownLatch there = new CountDownLatch(1);
    private final CountDownLatch go = new CountDownLatch(1);

    @ParameterizedTest
    @EnumSource(ResetKind.class)
    @DisplayName("2.4: nothing of before a reset lands in guest memory after it, though the host answers late")
    void shouldWriteNoMemoryAfterReset(ResetKind how) {
        BlockMachine machine = start(disk(SECTORS));
        holdUp(Operation.READ);
        machine.add(0, DiskRequests.in(0), LONG * SECTOR + 1, Integer.MAX_VALUE);
        machine.kick(0);
        Parked.await(there);
        resetMeanwhile(machine, how);
        machine.fill(0x5c);
        assertTrue(machine.isFilled(0x5c));
        assertEquals(1, file().done.size(), "it went on with the request after the reset");
        assertEquals(0, workers());
    }

    @ParameterizedTest
    @EnumSource(ResetKind.class)
    @DisplayName("2.4: when a reset returns, no write of before is on its way to the file")
    void shouldWriteNoFileAfterReset(ResetKind how) {
        BlockMachine machine = start(disk(SECTORS));
        byte[] expected = contents();
        byte[] data = random(9, LONG * SECTOR);
        holdUp(Operation.WRITE);
        machine.add(0, DiskRequests.out(0, data), 1, Integer.MAX_VALUE);
        machine.kick(0);
        Parked.await(there);
        resetMeanwhile(machine, how);
        byte[] after = contents();
        assertEquals(1, file().done.size(), "it went on with the request after the reset");
        // The piece that was on its way is written; nothing behind it.
        System.arraycopy(data, 0, expected, 0, 65_536);
        assertArrayEquals(expected, after);
    }

    @Test
    @DisplayName("2.4: a long WRITE_ZEROES ends with its queue")
    void shouldAbandonZeroesAtReset() {
        BlockMachine machine = start(disk(SECTORS));
        byte[] expected = contents();
        holdUp(Operation.WRITE);
        machine.add(0, DiskRequests.ranges(DiskRequests.WRITE_ZEROES, new Range(0, SECTORS, 0)), 1, 1000);
        machine.kick(0);
        Parked.await(there);
        resetMeanwhile(machine, ResetKind.DEVICE);
        Arrays.fill(expected, 0, 65_536, (byte) 0);
        assertArrayEquals(expected, contents());
        assertOutcome(BlockOutcome.ABANDONED, 1);
    }

    @Test
    @DisplayName("2.6.1: what was at work when its queue was reset is finished or abandoned when the reset is done")
    void shouldWriteNoFileAfterQueueReset() {
        BlockMachine machine = start(disk(SECTORS).queues(2));
        byte[] expected = contents();
        byte[] data = random(9, LONG * SECTOR);
        holdUp(Operation.WRITE);
        machine.add(0, DiskRequests.out(0, data), 1, Integer.MAX_VALUE);
        machine.kick(0);
        Parked.await(there);
        meanwhile(() -> assertTrue(machine.transport().resetQueue(0)));
        System.arraycopy(data, 0, expected, 0, 65_536);
        assertArrayEquals(expected, contents());
        assertStatus(DiskRequests.S_OK, machine.send(1, DiskRequests.in(0), SECTOR + 1, 1000));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    @DisplayName("PCI 6.2.2: what was at work when bus mastering went off is dropped; nothing lands when it is back")
    void shouldDropWhatWasAtWorkWhenBusMasteringGoes(boolean endsBefore) {
        assumeTrue(kind.pci, "only PCI has bus mastering");
        // The kick returns when the request can neither go on nor be given back.
        BlockMachine machine = start(endsBefore ? disk(SECTORS).servedInKicks() : disk(SECTORS));
        holdUp(Operation.READ);
        machine.add(0, DiskRequests.in(0), LONG * SECTOR + 1, Integer.MAX_VALUE);
        Thread kicker = new Thread(() -> machine.kick(0), "kicker");
        kicker.start();
        Parked.await(there);
        machine.busMastering(false);
        if (endsBefore) {
            go.countDown();
            Parked.finish(kicker);
        }
        machine.fill(0x5c);
        machine.busMastering(true);
        go.countDown();
        Parked.until(() -> disk().counters().outcomes(BlockOutcome.ABANDONED) == 1);
        assertTrue(machine.isFilled(0x5c), "something landed before the next notification");
        assertOutcome(BlockOutcome.OK, 0);
    }

    @Test
    @DisplayName("PCI 6.2.2: a notification that comes while bus mastering is off is dropped, one after it counts")
    void shouldServeFromTheNextNotificationOn() {
        assumeTrue(kind.pci, "only PCI has bus mastering");
        BlockMachine machine = start(disk(SECTORS));
        machine.busMastering(false);
        machine.add(0, DiskRequests.in(0), SECTOR + 1, Integer.MAX_VALUE);
        machine.kick(0);
        machine.busMastering(true);
        assertOutcome(BlockOutcome.OK, 0);
        machine.transport().notifyQueue(0);
        assertStatus(DiskRequests.S_OK, machine.await(0));
        assertStatus(DiskRequests.S_OK, machine.send(DiskRequests.in(3), SECTOR + 1));
    }

    @Test
    @DisplayName("2.4: a request that was cut off by bus mastering ends with a reset")
    void shouldDropWhatBusMasteringCutOffAtReset() {
        BlockMachine machine = start(disk(SECTORS));
        holdUp(Operation.READ);
        machine.add(0, DiskRequests.in(0), LONG * SECTOR + 1, Integer.MAX_VALUE);
        machine.kick(0);
        Parked.await(there);
        machine.busMastering(false);
        go.countDown();
        machine.reset(ResetKind.DEVICE);
        machine.busMastering(true);
        machine.start();
        assertStatus(DiskRequests.S_OK, machine.send(DiskRequests.in(3), SECTOR + 1));
    }

    @Test
    @DisplayName("2.4: a driver can bring the device up again and again, and no thread is left behind")
    void shouldLeaveNoThreadBehind() throws IOException {
        BlockMachine machine = powerOn(disk(SECTORS).queues(4));
        assertEquals(0, workers());
        for (int i = 0; i < 30; i++) {
            machine.start();
            assertEquals(4, workers());
            assertStatus(DiskRequests.S_OK, machine.send(i % 4, DiskRequests.in(i), SECTOR + 1, 1000));
            assertEquals(StartResult.OK, machine.driver().reset());
            assertEquals(0, workers());
        }
        machine.start();
        disk().close();
        assertEquals(0, workers());
        machine.start();
        assertEquals(0, workers(), "a closed disk starts no threads");
    }

    @Test
    @DisplayName("Nobody but a driver that sets DRIVER_OK starts threads, and without workers nobody does")
    void shouldStartNoThreadWithoutWorkers() {
        start(disk(SECTORS).servedInKicks());
        start(disk(SECTORS).polled());
        assertEquals(0, workers());
    }

    @Test
    @DisplayName("3.1.1: a queue has a worker while it is enabled, before DRIVER_OK or after it, and no other has one")
    void shouldHaveAWorkerForEachEnabledQueueOnly() {
        BlockMachine machine = powerOn(disk(SECTORS).queues(4));
        machine.negotiate(machine.offered());
        machine.enable(1);
        machine.enable(3);
        assertEquals(0, workers());
        assertEquals(StartResult.OK, machine.driver().driverOk());
        assertEquals(List.of(1, 3), queuesWithWorkers());
        machine.enable(0);
        assertEquals(List.of(0, 1, 3), queuesWithWorkers());
        assertStatus(DiskRequests.S_OK, machine.send(0, DiskRequests.in(0), SECTOR + 1, 1000));
        assertTrue(machine.transport().resetQueue(1));
        assertEquals(List.of(0, 3), queuesWithWorkers());
        assertEquals(StartResult.OK, machine.driver().reset());
        assertEquals(0, workers());
    }

    /** Holds the first transfer of a kind up until it is let go. */
    private void holdUp(Operation which) {
        AtomicBoolean first = new AtomicBoolean(true);
        file().hook = (operation, position) -> {
            if (operation == which && first.getAndSet(false)) {
                there.countDown();
                Parked.await(go);
            }
        };
    }

    /** Resets while the host does not answer; the host answers once the queues are closed. */
    private void resetMeanwhile(BlockMachine machine, ResetKind how) {
        meanwhile(() -> machine.reset(how));
    }

    private void meanwhile(Runnable reset) {
        AtomicBoolean back = new AtomicBoolean();
        Thread resetting = new Thread(() -> {
            reset.run();
            back.set(true);
        }, "resetting");
        resetting.start();
        Parked.until(() -> back.get() || resetting.getState() == Thread.State.TIMED_WAITING);
        // Over PCI a driver sees in the status that the reset takes longer, so the write need not.
        assertFalse(!kind.pci && back.get(), "it did not wait for the transfer under way");
        go.countDown();
        Parked.finish(resetting);
        Parked.until(() -> back.get() && workersAtWork() == 0);
    }

    /** Those of the queues that were reset; the second queue of a disk goes on. */
    private static long workersAtWork() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.isAlive() && thread.getName().equals("virtio4j disk queue 0")).count();
    }

    private static List<Integer> queuesWithWorkers() {
        String prefix = "virtio4j disk queue ";
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.isAlive() && thread.getName().startsWith(prefix))
                .map(thread -> Integer.valueOf(thread.getName().substring(prefix.length()))).sorted().toList();
    }

    private static long workers() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.isAlive() && thread.getName().startsWith("virtio4j disk queue")).count();
    }
}
