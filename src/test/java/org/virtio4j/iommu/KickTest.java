// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.driver.FeatureSet;
import org.virtio4j.fixture.WhenServed;
import org.virtio4j.iommu.embedder.IommuListener;

/** Kicks: who serves, when, and that no request is left behind. */
class KickTest extends IommuTests {

    private static final byte[] REQUEST = Requests.attach(ONE, DISK);

    @Test
    @DisplayName("A kick that finds somebody serving returns, and that one serves its requests too")
    void shouldLeaveRequestsToWhoServesAlready() {
        CountDownLatch serving = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        IommuMachine machine = start(iommu().listener(WhenServed.does((type, status, removed) -> {
            serving.countDown();
            Threads.await(goOn);
        })));
        add(machine, 0);
        Future<?> first = Threads.start("first", () -> machine.transport().notifyQueue(IommuMachine.REQUESTS));
        Threads.await(serving);
        add(machine, 1);
        machine.transport().notifyQueue(IommuMachine.REQUESTS);
        assertFalse(machine.requests().poll(), "nobody may serve beside the first");
        goOn.countDown();
        Threads.join(first);
        assertTrue(machine.requests().poll());
        assertTrue(machine.requests().poll(), "the second kick was lost");
    }

    @Test
    @DisplayName("A kick that comes after the last look, while its thread has not left yet, is served by that one")
    void shouldServeWhatComesAfterTheLastLook() {
        AtomicBoolean first = new AtomicBoolean(true);
        IommuMachine[] machine = new IommuMachine[1];
        machine[0] = start(iommu().listener(new IommuListener() {
            @Override
            public void batchPublished(int requests) {
                // The look that made the batch visible has found nothing more, and asked to be notified.
                if (first.getAndSet(false)) {
                    Threads.join(Threads.start("second", () -> {
                        add(machine[0], 1);
                        machine[0].transport().notifyQueue(IommuMachine.REQUESTS);
                    }));
                }
            }
        }));
        add(machine[0], 0);
        machine[0].transport().notifyQueue(IommuMachine.REQUESTS);
        assertTrue(machine[0].requests().poll());
        assertTrue(machine[0].requests().poll(), "the second kick was lost");
    }

    @Test
    @DisplayName("A batch is announced once, when its answers are visible")
    void shouldSayWhenABatchIsPublished() {
        List<String> heard = new ArrayList<>();
        IommuMachine[] machine = new IommuMachine[1];
        machine[0] = start(iommu().listener(WhenServed.does((type, status, removed) -> heard.add("served")))
                .listener(new IommuListener() {
                    @Override
                    public void batchPublished(int requests) {
                        heard.add("published " + requests + (machine[0].requests().poll() ? "" : ", not visible yet"));
                    }
                }));
        add(machine[0], 0);
        add(machine[0], 1);
        machine[0].transport().notifyQueue(IommuMachine.REQUESTS);
        machine[0].transport().notifyQueue(IommuMachine.REQUESTS);
        assertEquals(List.of("served", "served", "published 2"), heard);
    }

    @Test
    @DisplayName("A kick that finds the lock taken by somebody who serves no requests is not lost")
    void shouldServeWhenLockIsHeldForSomethingElse() {
        CountDownLatch waiting = new CountDownLatch(1);
        IommuMachine machine = start(iommu().bootBypass(true).stallLimit(Duration.ofMillis(1))
                .listener(new IommuListener() {
                    @Override
                    public void stalled(String holder, long waitedNanos) {
                        waiting.countDown();
                    }
                }));
        DmaHandle handle = machine.dma(DISK);
        handle.enter();
        // Holds the control lock until the section ends.
        Future<?> config = Threads.start("config", () -> machine.writeBypass(0));
        Threads.await(waiting);
        add(machine, 0);
        AtomicBoolean kicking = new AtomicBoolean();
        Future<?> kick = Threads.start("kick", () -> {
            kicking.set(true);
            machine.transport().notifyQueue(IommuMachine.REQUESTS);
        });
        Threads.awaitThat(kicking::get);
        handle.leave();
        Threads.join(config);
        Threads.join(kick);
        assertTrue(machine.requests().poll(), "the kick was lost");
    }

    @Test
    @DisplayName("With several virtual CPUs that kick at once every request is answered, by one at a time")
    void shouldServeEveryRequestWhenManyKick() {
        AtomicInteger inside = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        IommuMachine machine = start(iommu().listener(WhenServed.does((type, status, removed) -> {
            most.accumulateAndGet(inside.incrementAndGet(), Math::max);
            inside.decrementAndGet();
        })));
        long each = 2_000;
        AtomicLong answered = new AtomicLong();
        AtomicBoolean[] back = new AtomicBoolean[3];
        List<Future<?>> cpus = new ArrayList<>();
        for (int cpu = 0; cpu < back.length; cpu++) {
            int slot = cpu;
            back[cpu] = new AtomicBoolean();
            cpus.add(Threads.start("cpu " + cpu, () -> {
                for (int i = 0; i < each; i++) {
                    kickAndWait(machine, slot, back);
                    answered.incrementAndGet();
                }
            }));
        }
        // Somebody looks at the state all the time, which takes the same lock.
        AtomicBoolean stop = new AtomicBoolean();
        Future<?> onlooker = Threads.start("onlooker", () -> {
            while (!stop.get()) {
                machine.iommu().liveMappings();
                Thread.onSpinWait();
            }
        });
        cpus.forEach(Threads::join);
        stop.set(true);
        Threads.join(onlooker);
        assertEquals(back.length * each, answered.get());
        assertEquals(1, most.get());
        assertEquals(back.length * each, machine.iommu().counters().requests(Spec.ATTACH));
    }

    /** As Linux does: add under the driver's lock, kick outside of it, and look at the used ring until it is there. */
    private static void kickAndWait(IommuMachine machine, int slot, AtomicBoolean[] back) {
        back[slot].set(false);
        boolean needed;
        synchronized (machine) {
            add(machine, slot);
            needed = machine.requests().kickNeeded();
        }
        if (needed) {
            machine.transport().notifyQueue(IommuMachine.REQUESTS);
        }
        Threads.awaitThat(() -> {
            takeAnswers(machine, back);
            return back[slot].get();
        });
    }

    private static void takeAnswers(IommuMachine machine, AtomicBoolean[] back) {
        synchronized (machine) {
            while (machine.requests().poll()) {
                assertEquals(Spec.OK, machine.take(Spec.TAIL).status());
                back[(int) machine.requests().usedToken()].set(true);
            }
        }
    }

    @Test
    @DisplayName("poll() serves what was added without a kick")
    void shouldServeWhenPolled() {
        IommuMachine machine = start();
        add(machine, 0);
        assertFalse(machine.requests().poll());
        machine.iommu().poll();
        assertTrue(machine.requests().poll());
        Reply.assertStatus(Spec.OK, machine.take(Spec.TAIL));
    }

    @Test
    @DisplayName("poll() before there is a driver, and after a reset, does nothing")
    void shouldDoNothingWhenPolledWithoutDriver() {
        IommuMachine machine = powerOn(iommu());
        machine.iommu().poll();
        machine.start();
        add(machine, 0);
        machine.resetDevice();
        machine.iommu().poll();
        assertFalse(machine.requests().poll());
    }

    @Test
    @DisplayName("Requests that were available when the driver set DRIVER_OK are served without a kick")
    void shouldServeWhatWasThereBeforeDriverOk() {
        IommuMachine machine = powerOn(iommu());
        machine.startAfter(() -> add(machine, 0));
        assertTrue(machine.requests().poll());
    }

    @Test
    @DisplayName("Requests added without a kick while it serves are served to the last, with others let in between")
    void shouldServeOnWhileRequestsAreAdded() {
        long size = 8;
        assertEquals(5 * size + 1, servedByOneKick(size, 5 * size));
    }

    @Test
    @DisplayName("A driver that adds requests for ever does not keep the thread that kicked")
    void shouldReturnFromKickInTheEnd() {
        long size = 8;
        // After so many it asks to be notified of what comes next, serves what is there, and goes.
        assertEquals(2 * size * 1000 + 1, servedByOneKick(size, Long.MAX_VALUE));
    }

    /** The guest's other CPU takes what is back and adds one more, as fast as they are served, up to a limit. */
    private long servedByOneKick(long size, long more) {
        AtomicLong left = new AtomicLong(more);
        IommuMachine[] machine = new IommuMachine[1];
        machine[0] = start(iommu().queueSizes((int) size, 8).listener(WhenServed.does((type, status, removed) -> {
            while (machine[0].requests().poll()) {
                assertEquals(0, machine[0].requests().usedToken());
            }
            if (left.getAndDecrement() > 0) {
                add(machine[0], 0);
            }
        })));
        add(machine[0], 0);
        machine[0].transport().notifyQueue(IommuMachine.REQUESTS);
        return served(machine[0]);
    }

    @Test
    @DisplayName("Who waits for the control lock gets it between two passes over the ring")
    void shouldLetOthersInWhileItServesOn() {
        Thread kicking = Thread.currentThread();
        AtomicBoolean let = new AtomicBoolean();
        AtomicReference<Thread> onlooker = new AtomicReference<>();
        IommuMachine[] machine = new IommuMachine[1];
        machine[0] = start(iommu().queueSizes(8, 8).listener(WhenServed.does((type, status, removed) -> {
            machine[0].requests().poll();
            if (onlooker.get() == null) {
                onlooker.set(Thread.ofPlatform().daemon().start(() -> {
                    machine[0].iommu().liveMappings();
                    let.set(true);
                }));
                Threads.awaitThat(() -> onlooker.get().getState() == Thread.State.WAITING);
            }
            assertSame(kicking, Thread.currentThread());
            // On and on, until the other was let in; the test would not end if it never was.
            if (!let.get()) {
                add(machine[0], 0);
            }
        })));
        add(machine[0], 0);
        machine[0].transport().notifyQueue(IommuMachine.REQUESTS);
        assertTrue(served(machine[0]) < 2 * 8 * 1000, "the kick came to its limit first");
    }

    @Test
    @DisplayName("A request that comes while the device lingers is served without a kick, and the waiting begins anew")
    void shouldServeWithoutKickWhileItLingers() {
        List<Long> asked = new ArrayList<>();
        IommuMachine[] machine = new IommuMachine[1];
        // A clock that moves by 10 each time it is asked, and with the third question a request comes.
        machine[0] = start(iommu().linger(Duration.ofNanos(30)).nanoTime(() -> {
            asked.add(served(machine[0]));
            if (asked.size() == 3) {
                add(machine[0], 1);
            }
            return 10L * asked.size();
        }));
        machine[0].requests().disableUsedNotifications();
        add(machine[0], 0);
        machine[0].transport().notifyQueue(IommuMachine.REQUESTS);
        assertEquals(List.of(1L, 1L, 1L, 2L, 2L, 2L, 2L), asked);
        assertTrue(machine[0].requests().poll());
        assertTrue(machine[0].requests().poll());
        add(machine[0], 2);
        assertTrue(machine[0].requests().kickNeeded(), "after the last look the driver must notify again");
    }

    @Test
    @DisplayName("A driver that wants an interrupt gets it at once")
    void shouldNotLingerBeforeAnInterrupt() {
        IommuMachine machine = powerOn(iommu().linger(Duration.ofSeconds(1)).nanoTime(() -> {
            throw new AssertionError("lingers");
        })).start(FeatureSet.of(32));
        machine.ok(REQUEST);
        assertEquals(1, machine.interrupts());
    }

    @Test
    @DisplayName("linger is zero to one second")
    void shouldRefuseLingerThatMakesNoSense() {
        for (Duration time : List.of(Duration.ofNanos(-1), Duration.ofSeconds(1, 1))) {
            assertEquals("linger=" + time + ", but it must be zero to one second",
                    assertThrows(IllegalArgumentException.class, () -> iommu().linger(time)).getMessage());
        }
    }

    @Test
    @DisplayName("A full ring of requests is served by one kick")
    void shouldServeFullRingWithOneKick() {
        IommuMachine machine = powerOn(iommu().queueSizes(256, 8)).startIndirect(2);
        List<byte[]> requests = new ArrayList<>();
        for (int i = 0; i < 256; i++) {
            requests.add(Requests.attach(i, DISK));
        }
        for (Reply reply : machine.sendAll(requests)) {
            Reply.assertStatus(Spec.OK, reply);
        }
        assertEquals(0, machine.requests().out());
    }

    @Test
    @DisplayName("2.7.7: used buffer notifications for requests come once a batch, and not when they are not wanted")
    void shouldInterruptOnceForBatch() {
        IommuMachine machine = powerOn(iommu()).start(FeatureSet.of(32));
        machine.sendAll(List.of(REQUEST, REQUEST, REQUEST));
        assertEquals(1, machine.interrupts());
        assertEquals(1, machine.transport().takeInterrupts());
        machine.requests().disableUsedNotifications();
        machine.ok(REQUEST);
        assertEquals(1, machine.interrupts());
        assertEquals(0, machine.transport().takeInterrupts());
        machine.requests().enableUsedNotifications();
        machine.ok(REQUEST);
        assertEquals(2, machine.interrupts());
    }

    @Test
    @DisplayName("2.7.7.2: with EVENT_IDX used_event decides")
    void shouldInterruptWhenUsedEventIsPassed() {
        IommuMachine machine = powerOn(iommu()).start(FeatureSet.of(32, 29));
        machine.requests().disableUsedNotifications();
        machine.sendAll(List.of(REQUEST, REQUEST));
        assertEquals(0, machine.interrupts());
        // Wanted when the fifth is used: index 4 is passed by a batch from 2 to 5, not by one from 2 to 4.
        machine.requests().memory().availableRing().putU16(4 + 2L * machine.requests().size(), 4);
        machine.sendAll(List.of(REQUEST, REQUEST));
        assertEquals(0, machine.interrupts());
        machine.sendAll(List.of(REQUEST, REQUEST, REQUEST));
        assertEquals(1, machine.interrupts());
        machine.transport().takeInterrupts();
        machine.ok(REQUEST);
        assertEquals(1, machine.interrupts());
    }

    @Test
    @DisplayName("The guest is interrupted under no lock, after the answer is there")
    void shouldInterruptUnderNoLock() {
        IommuMachine machine = powerOn(iommu()).start(FeatureSet.of(32));
        int[] seen = new int[1];
        machine.onInterrupt(() -> Threads.runAndWait(() -> {
            machine.iommu().liveMappings();
            machine.transport().readConfig(0, 8);
            machine.transport().notifyQueue(IommuMachine.REQUESTS);
            seen[0] = machine.requests().poll() ? 1 : 0;
        }));
        add(machine, 0);
        machine.transport().notifyQueue(IommuMachine.REQUESTS);
        assertEquals(1, seen[0]);
    }

    private static long served(IommuMachine machine) {
        return machine.iommu().counters().requests(Spec.ATTACH);
    }

    private static void add(IommuMachine machine, int slot) {
        machine.place(slot, REQUEST, Spec.TAIL);
        machine.add(slot, REQUEST, Spec.TAIL);
        machine.requests().publish();
    }
}
