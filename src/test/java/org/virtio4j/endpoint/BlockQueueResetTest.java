// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.virtio4j.endpoint.TestFile.Operation;
import org.virtio4j.fixture.ExchangedRam;
import org.virtio4j.fixture.Parked;

/** Section 2.6.1 for devices that serve a queue in each way there is, and memory that is exchanged meanwhile. */
class BlockQueueResetTest extends BlockTests {

    private static final int SECTORS = 1024;
    private static final int LONG = 300;
    private static final int NEEDS_RESET = 0x40;

    private final CountDownLatch there = new CountDownLatch(1);
    private final CountDownLatch go = new CountDownLatch(1);

    /** How the disk is served. */
    enum Serving { WORKERS, KICKS, POLLED }

    @AfterEach
    void letGo() {
        go.countDown();
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("2.6.1.1.1: a queue's reset waits for the disk's request at work, and other queues go on meanwhile")
    void shouldWaitForTheRequestAtWork(Serving serving) {
        BlockMachine machine = start(choose(serving, disk(SECTORS).queues(2)));
        holdUp();
        machine.add(0, DiskRequests.in(0), LONG * SECTOR + 1, Integer.MAX_VALUE);
        Thread kicker = kicker(machine, serving, 0);
        Parked.await(there);
        AtomicBoolean back = new AtomicBoolean();
        Thread resetter = resetter(machine, back);
        assertTrue(machine.transport().queueReady(0), "reset while a request was at work");
        machine.add(1, DiskRequests.in(0), SECTOR + 1, Integer.MAX_VALUE);
        Parked.finish(kicker(machine, serving, 1));
        assertStatus(DiskRequests.S_OK, machine.await(1));
        machine.fill(0x5c);
        go.countDown();
        Parked.until(back::get);
        Parked.finish(resetter);
        Parked.finish(kicker);
        assertTrue(machine.isFilled(0x5c), "something landed after the reset");
        assertEquals(2, file().done.size(), "it went on with the request after the reset");
        assertEquals(0, machine.transport().status() & NEEDS_RESET);
    }

    @Test
    @DisplayName("2.6.1.1.1: a queue's reset waits for the source of entropy, and no byte lands after it")
    void shouldWaitForEntropy() {
        BlockMachine machine = keep(new BlockMachine(kind, new VirtioEntropy())).start();
        AtomicBoolean first = new AtomicBoolean(true);
        machine.onInterrupt(() -> {
            // The second buffer was taken by now.
            if (first.getAndSet(false)) {
                there.countDown();
                Parked.await(go);
            }
        });
        machine.add(0, new byte[0], 64, Integer.MAX_VALUE);
        machine.add(0, new byte[0], 64, Integer.MAX_VALUE);
        Thread kicker = kicker(machine, Serving.KICKS, 0);
        Parked.await(there);
        AtomicBoolean back = new AtomicBoolean();
        Thread resetter = resetter(machine, back);
        assertTrue(machine.transport().queueReady(0), "reset while a request was at work");
        machine.fill(0x5c);
        go.countDown();
        Parked.until(back::get);
        Parked.finish(resetter);
        Parked.finish(kicker);
        assertTrue(machine.isFilled(0x5c), "something landed after the reset");
        machine.start();
        assertEquals(64, machine.send(new byte[0], 64).used());
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("2.7.8.2: what a disk has done while the memory of the ring was exchanged is published, once")
    void shouldPublishWhenTheRingIsBack(Serving serving) {
        ExchangedRam[] ram = new ExchangedRam[1];
        BlockMachine machine = keep(new BlockMachine(kind, build(choose(serving, disk(SECTORS))),
                memory -> ram[0] = new ExchangedRam(memory, BlockMachine.RAM_END / 2, BlockMachine.RAM_END))).start();
        holdUp();
        byte[] data = random(7, SECTOR);
        machine.add(0, DiskRequests.out(3, data), 1, Integer.MAX_VALUE);
        Thread kicker = kicker(machine, serving, 0);
        Parked.await(there);
        ram[0].takeAway(0);
        go.countDown();
        Parked.finish(kicker);
        ram[0].giveBack(0);
        machine.memoryChanged();
        if (serving == Serving.POLLED) {
            int ignored = disk().poll(0);
        }
        assertStatus(DiskRequests.S_OK, machine.await(0));
        assertEquals(1, file().done.size(), "it was written twice");
        assertEquals(0, machine.transport().status() & NEEDS_RESET);
        assertEquals(0, machine.queue(0).out());
    }

    private static VirtioBlockBuilder choose(Serving serving, VirtioBlockBuilder builder) {
        return switch (serving) {
            case WORKERS -> builder;
            case KICKS -> builder.servedInKicks();
            case POLLED -> builder.polled();
        };
    }

    /** Holds the first transfer up until it is let go. */
    private void holdUp() {
        AtomicBoolean first = new AtomicBoolean(true);
        file().hook = (operation, position) -> {
            if (operation != Operation.FORCE && first.getAndSet(false)) {
                there.countDown();
                Parked.await(go);
            }
        };
    }

    private Thread kicker(BlockMachine machine, Serving serving, int queue) {
        Thread kicker = new Thread(() -> {
            machine.kick(queue);
            if (serving == Serving.POLLED) {
                int ignored = disk().poll(queue);
            }
        }, "kicker " + queue);
        kicker.start();
        return kicker;
    }

    /** Returns when the reset of queue 0 is waiting. */
    private static Thread resetter(BlockMachine machine, AtomicBoolean back) {
        Thread resetter = new Thread(() -> {
            assertTrue(machine.transport().resetQueue(0));
            back.set(true);
        }, "resetter");
        resetter.start();
        Parked.until(() -> resetter.getState() == Thread.State.TIMED_WAITING);
        return resetter;
    }
}
