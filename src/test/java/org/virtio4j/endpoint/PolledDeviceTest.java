// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.device.DeviceListener;
import org.virtio4j.device.ResetKind;
import org.virtio4j.device.VirtioDevice;
import org.virtio4j.driver.DriverQueue;
import org.virtio4j.driver.FeatureSet;
import org.virtio4j.fixture.Allocations;
import org.virtio4j.fixture.ExchangedRam;
import org.virtio4j.fixture.Parked;
import org.virtio4j.wire.FeatureBit;

/** Section 2.7.10, devices that are polled: their drivers need not notify, and those that look never do. */
class PolledDeviceTest extends BlockTests {

    private static final int SECTORS = 8;
    private static final int MANY = 10_000;
    private static final int NEEDS_RESET = 0x40;

    /** Every device that can be polled. */
    enum Polled { DISK, ENTROPY }

    private final AtomicBoolean over = new AtomicBoolean();
    private final AtomicReference<@Nullable Throwable> thrown = new AtomicReference<>();
    private final List<Thread> pollers = new ArrayList<>();
    private Polled device = Polled.DISK;

    static List<Arguments> all() {
        List<Arguments> all = new ArrayList<>();
        for (Polled each : Polled.values()) {
            all.add(Arguments.of(each, false));
            all.add(Arguments.of(each, true));
        }
        return all;
    }

    @AfterEach
    void endPollers() {
        over.set(true);
        pollers.forEach(Parked::finish);
        assertNull(thrown.get(), () -> "a poll has thrown " + thrown.get());
    }

    @ParameterizedTest
    @MethodSource("all")
    @DisplayName("2.7.10: what a driver makes available without a notification is found by the poll alone")
    void shouldServeADriverThatNeverNotifies(Polled which, boolean eventIdx) {
        BlockMachine machine = started(which, eventIdx);
        for (int i = 0; i < 300; i++) {
            assertEquals(0, machine.pollDevice());
            offer(machine, 1 + i % 3);
            assertNull(machine.poll(0), "served by nobody");
            assertEquals(1 + i % 3, machine.pollDevice());
            take(machine, 1 + i % 3);
        }
        assertEquals(0, machine.transport().status() & NEEDS_RESET);
    }

    @ParameterizedTest
    @MethodSource("all")
    @DisplayName("2.7.10.1: a driver that looks sends no notification, from DRIVER_OK on, over the wrap of the index")
    void shouldNeverBeNotifiedByADriverThatLooks(Polled which, boolean eventIdx) {
        BlockMachine machine = started(which, eventIdx);
        DriverQueue queue = machine.queue(0);
        Random random = new Random(1);
        int notifications = 0;
        for (int i = 0; i < MANY; i++) {
            offer(machine, 1);
            boolean early = random.nextBoolean();
            notifications += early && queue.kickNeeded() ? 1 : 0;
            assertEquals(1, machine.pollDevice());
            notifications += !early && queue.kickNeeded() ? 1 : 0;
            take(machine, 1);
        }
        assertEquals(0, notifications);
    }

    @ParameterizedTest
    @MethodSource("all")
    @DisplayName("2.7.10.2: a notification that comes all the same is harmless, before and after the poll")
    void shouldBearNotifications(Polled which, boolean eventIdx) {
        BlockMachine machine = started(which, eventIdx);
        for (int i = 0; i < 100; i++) {
            machine.transport().notifyQueue(0);
            offer(machine, 2);
            machine.transport().notifyQueue(0);
            int ignored = machine.pollDevice();
            machine.transport().notifyQueue(0);
            take(machine, 2);
            assertFalse(machine.queue(0).poll());
            assertFalse(kickNeededForOne(machine), "asked for another one");
        }
    }

    @ParameterizedTest
    @MethodSource("all")
    @DisplayName("2.4, 2.6.1: after a reset of the device or of the queue it is polled and silent as before")
    void shouldServeAfterResets(Polled which, boolean eventIdx) {
        BlockMachine machine = started(which, eventIdx);
        serve(machine);
        offer(machine, 1);
        assertTrue(machine.transport().resetQueue(0));
        assertEquals(0, machine.pollDevice());
        machine.enable(0);
        assertFalse(kickNeededForOne(machine));
        machine.reset(ResetKind.DEVICE);
        assertEquals(0, machine.pollDevice());
        restart(machine, eventIdx);
        assertFalse(kickNeededForOne(machine));
        machine.reset(ResetKind.SYSTEM);
        assertEquals(0, machine.pollDevice());
    }

    @ParameterizedTest
    @MethodSource("all")
    @DisplayName("2.1.2: a ring that breaks while it is polled is told once, then it is left alone until the reset")
    void shouldTellOfABrokenRingOnce(Polled which, boolean eventIdx) {
        BlockMachine machine = started(which, eventIdx);
        List<String> reasons = new ArrayList<>();
        machine.listener(new DeviceListener() {
            @Override
            public void needsReset(String reason) {
                reasons.add(reason);
            }
        });
        serve(machine);
        DriverQueue queue = machine.queue(0);
        queue.memory().availableRing().putU16(2, 2 * BlockMachine.QUEUE_SIZE);
        Allocations.assertNone(100, machine::pollDevice);
        assertEquals(List.of("queue 0: AVAILABLE_INDEX_AHEAD"), reasons);
        assertEquals(NEEDS_RESET, machine.transport().status() & NEEDS_RESET);
        machine.reset(ResetKind.DEVICE);
        restart(machine, eventIdx);
        serve(machine);
    }

    @ParameterizedTest
    @MethodSource("all")
    @DisplayName("A poll allocates nothing, whether it finds something or not")
    void shouldAllocateNothing(Polled which, boolean eventIdx) {
        BlockMachine machine = started(which, eventIdx);
        Allocations.assertNone(5_000, machine::pollDevice);
        machine.reset(ResetKind.DEVICE);
        Allocations.assertNone(1_000, machine::pollDevice);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("Memory that goes and comes back: what waits for it is served by the poll alone")
    void shouldGoOnWhenMemoryIsBack(boolean eventIdx) {
        ExchangedRam[] ram = new ExchangedRam[1];
        BlockMachine machine = keep(new BlockMachine(kind, build(disk(SECTORS).polled()),
                memory -> ram[0] = new ExchangedRam(memory, BlockMachine.RAM_END / 2, BlockMachine.RAM_END)));
        machine.start(eventIdx ? machine.offered() : machine.offered().without(FeatureBit.EVENT_IDX));
        serve(machine);
        ExchangedRam exchanged = Objects.requireNonNull(ram[0]);
        offer(machine, 2);
        exchanged.takeAway(0);
        exchanged.takeAway(1);
        assertEquals(0, machine.pollDevice());
        exchanged.giveBack(1);
        exchanged.giveBack(0);
        assertEquals(2, machine.pollDevice());
        take(machine, 2);
        assertFalse(kickNeededForOne(machine));
        assertEquals(0, machine.transport().status() & NEEDS_RESET);
    }

    @ParameterizedTest
    @MethodSource("all")
    @DisplayName("PCI 6.2.2: after bus mastering was taken away the poll touches nothing before the next DRIVER_OK")
    void shouldTouchNothingAfterBusMasteringWent(Polled which, boolean eventIdx) {
        Assumptions.assumeTrue(kind.pci, "virtio-mmio has no bus master bit");
        BlockMachine machine = started(which, eventIdx);
        serve(machine);
        offer(machine, 1);
        machine.busMastering(false);
        assertEquals(0, machine.pollDevice());
        machine.fill(0x5c);
        machine.busMastering(true);
        assertEquals(0, machine.pollDevice());
        assertTrue(machine.isFilled(0x5c), "something was written");
        assertFalse(machine.queue(0).poll());
        restart(machine, eventIdx);
        serve(machine);
    }

    @Test
    @DisplayName("2.7.10: two threads that poll, beside notifications, resets of the device and of a queue")
    void shouldBearAllAtOnce() {
        for (Polled which : Polled.values()) {
            BlockMachine machine = started(which, true);
            over.set(false);
            poll(machine);
            poll(machine);
            Random random = new Random(seed());
            for (int round = 0; round < 300; round++) {
                offer(machine, 3);
                switch (random.nextInt(5)) {
                    case 0 -> machine.transport().notifyQueue(0);
                    case 1 -> machine.memoryChanged();
                    case 2 -> {
                        assertTrue(machine.transport().resetQueue(0));
                        machine.enable(0);
                        offer(machine, 3);
                    }
                    case 3 -> {
                        machine.busMastering(false);
                        machine.busMastering(true);
                        restart(machine, true);
                        offer(machine, 3);
                    }
                    default -> {
                        restart(machine, true);
                        offer(machine, 3);
                    }
                }
                take(machine, 3);
            }
            assertEquals(0, machine.transport().status() & NEEDS_RESET);
            over.set(true);
            pollers.forEach(Parked::finish);
            machine.reset(ResetKind.SYSTEM);
        }
    }

    @Test
    @DisplayName("Beside a thread that polls, guest and disk are closed while requests are at work")
    void shouldEndBesideAPoll() throws Exception {
        for (int round = 0; round < 20; round++) {
            BlockMachine machine = started(Polled.DISK, true);
            over.set(false);
            poll(machine);
            offer(machine, 20);
            assertNotNull(machine.await(0));
            closeMachines();
            over.set(true);
            pollers.forEach(Parked::finish);
        }
    }

    @Test
    @DisplayName("5.2.6: each queue of a disk is polled")
    void shouldPollEveryQueue() {
        BlockMachine machine = start(disk(SECTORS).queues(4).polled());
        byte[] data = random(5, SECTOR);
        machine.add(3, DiskRequests.out(2, data), 1, Integer.MAX_VALUE);
        machine.add(1, DiskRequests.in(3), SECTOR + 1, Integer.MAX_VALUE);
        machine.queue(3).publish();
        machine.queue(1).publish();
        assertEquals(2, machine.pollDevice());
        assertStatus(DiskRequests.S_OK, Objects.requireNonNull(machine.poll(3)));
        assertStatus(DiskRequests.S_OK, Objects.requireNonNull(machine.poll(1)));
        machine.add(0, DiskRequests.in(2), SECTOR + 1, Integer.MAX_VALUE);
        machine.queue(0).publish();
        assertEquals(1, machine.pollDevice());
        assertArrayEquals(data, Objects.requireNonNull(machine.poll(0)).data());
    }

    // The device and its driver

    private BlockMachine started(Polled which, boolean eventIdx) {
        device = which;
        VirtioDevice made = which == Polled.DISK ? build(disk(SECTORS).polled()) : VirtioEntropy.polled();
        BlockMachine machine = keep(new BlockMachine(kind, made));
        return restart(machine, eventIdx);
    }

    private static BlockMachine restart(BlockMachine machine, boolean eventIdx) {
        FeatureSet offered = machine.offered();
        return machine.start(eventIdx ? offered : offered.without(FeatureBit.EVENT_IDX));
    }

    /** Makes requests available, and notifies nobody. */
    private void offer(BlockMachine machine, int count) {
        for (int i = 0; i < count; i++) {
            if (device == Polled.DISK) {
                machine.add(0, DiskRequests.in(i % SECTORS), SECTOR + 1, Integer.MAX_VALUE);
            } else {
                machine.add(0, new byte[0], 64, Integer.MAX_VALUE);
            }
        }
        machine.queue(0).publish();
    }

    private void take(BlockMachine machine, int count) {
        for (int i = 0; i < count; i++) {
            DiskReply reply = machine.await(0);
            if (device == Polled.DISK) {
                assertStatus(DiskRequests.S_OK, reply);
            } else {
                assertEquals(64, reply.used());
            }
        }
    }

    private void serve(BlockMachine machine) {
        offer(machine, 1);
        assertEquals(1, machine.pollDevice());
        take(machine, 1);
    }

    private boolean kickNeededForOne(BlockMachine machine) {
        boolean before = machine.queue(0).kickNeeded();
        offer(machine, 1);
        boolean needed = machine.queue(0).kickNeeded();
        assertEquals(1, machine.pollDevice());
        take(machine, 1);
        return before || needed;
    }

    private void poll(BlockMachine machine) {
        Thread poller = new Thread(() -> {
            try {
                while (!over.get()) {
                    if (machine.pollDevice() == 0) {
                        Thread.onSpinWait();
                    }
                }
            } catch (RuntimeException | Error failure) {
                thrown.set(failure);
            }
        }, "poller");
        poller.start();
        pollers.add(poller);
    }
}
