// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class InterruptStatusTest {

    private final List<Boolean> levels = Collections.synchronizedList(new ArrayList<>());
    private boolean used = true;
    private final InterruptStatus status = new InterruptStatus(levels::add, () -> used);

    @Test
    void shouldSetTheLineOnlyWhenItsLevelChanges() {
        status.raise(1);
        status.raise(1);
        status.raise(2);
        status.acknowledge(1);
        status.acknowledge(1);
        status.acknowledge(2);
        status.acknowledge(3);

        assertEquals(List.of(true, false), levels);
    }

    @Test
    void shouldLeaveTheLineToTheCallerWhenEventsAreWithdrawn() {
        status.raise(1);
        status.withdrawAll();
        assertEquals(List.of(true), levels);
        status.updateLine();
        assertEquals(List.of(true, false), levels);
    }

    @Test
    void shouldSayWhatThereWasWhenAllIsTaken() {
        status.raise(1);
        status.raise(2);
        assertEquals(3, status.take());
        assertEquals(0, status.bits());
        assertEquals(0, status.take());
        assertEquals(List.of(true, false), levels);
    }

    @Test
    void shouldKnowWhichQueuesHaveRaisedTheirEvent() {
        InterruptStatus many = new InterruptStatus(levels::add, () -> true, 200, 1);
        for (int queue : new int[] {0, 31, 32, 95, 96, 199}) {
            many.raiseUsed(queue);
            assertEquals(1, many.bits());
            many.withdrawQueue(queue);
            assertEquals(0, many.bits(), "queue " + queue);
            many.updateLine();
        }
        many.raiseUsed(31);
        many.raiseUsed(32);
        many.raiseUsed(199);
        many.raise(2);
        many.withdrawQueue(199);
        many.withdrawQueue(31);
        assertEquals(3, many.bits());
        many.acknowledge(1);
        assertEquals(2, many.bits());
        many.raiseUsed(199);
        assertEquals(3, many.take());
        assertEquals(0, many.bits());
        many.raiseUsed(199);
        many.acknowledge(3);
        assertEquals(0, many.bits());
        assertEquals(false, levels.getLast());
    }

    @Test
    void shouldKeepTheEventAndTheLineLowWhenTheLineIsNotUsed() {
        used = false;
        status.raise(1);
        assertEquals(1, status.bits());
        assertEquals(List.of(false), levels);
        used = true;
        status.updateLine();
        assertEquals(List.of(false, true), levels);
    }

    @Test
    void shouldSetTheLineAgainWhenItsOwnCallChangesTheStatus() {
        InterruptStatus[] own = new InterruptStatus[1];
        own[0] = new InterruptStatus(level -> {
            levels.add(level);
            own[0].acknowledge(1);
            own[0].updateLine();
        }, () -> true);
        own[0].raise(1);

        assertEquals(List.of(true, false), levels);
    }

    @Test
    void shouldLeaveAChangeToTheThreadThatCallsTheLine() throws InterruptedException {
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        InterruptStatus slow = new InterruptStatus(level -> {
            levels.add(level);
            inside.countDown();
            await(go);
        }, () -> true);
        Thread device = new Thread(() -> slow.raise(1));
        device.start();
        await(inside);
        assertEquals(1, slow.take(), "the driver does not wait for the device's thread");
        go.countDown();
        device.join();
        assertEquals(List.of(true, false), levels);
    }

    @Test
    void shouldUpdateTheLineOnlyWhenTheThreadThatCallsItIsThrough() throws InterruptedException {
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        List<Boolean> seen = new CopyOnWriteArrayList<>();
        InterruptStatus slow = new InterruptStatus(level -> {
            inside.countDown();
            await(go);
            seen.add(level);
        }, () -> true);
        Thread device = new Thread(() -> slow.raise(1));
        device.start();
        await(inside);
        List<Boolean> after = new ArrayList<>();
        Thread reset = new Thread(() -> {
            slow.withdrawAll();
            slow.updateLine();
            after.addAll(seen);
        });
        reset.start();
        awaitWaiting(reset);
        go.countDown();
        reset.join();
        device.join();
        assertEquals(List.of(true, false), after);
        assertEquals(after, seen, "and nothing comes later");
    }

    /** Each call of the line finds that another thread has changed the status. */
    @Test
    void shouldNotWorkForOthersForEver() throws InterruptedException {
        CyclicBarrier inLine = new CyclicBarrier(2);
        AtomicInteger calls = new AtomicInteger();
        AtomicReference<Thread> device = new AtomicReference<>();
        InterruptStatus[] own = new InterruptStatus[1];
        own[0] = new InterruptStatus(level -> {
            levels.add(level);
            if (Thread.currentThread().equals(device.get())) {
                calls.incrementAndGet();
                await(inLine);
                await(inLine);
            }
        }, () -> true);
        device.set(new Thread(() -> own[0].raise(1)));
        device.get().start();
        int rounds = 0;
        Thread driver = null;
        while (driver == null) {
            await(inLine);
            rounds++;
            if (rounds == 17) {
                driver = new Thread(own[0]::take);
                driver.start();
                awaitWaiting(driver);
            } else if (rounds % 2 == 1) {
                own[0].take();
            } else {
                own[0].raise(1);
            }
            await(inLine);
        }
        device.get().join();
        driver.join();
        assertEquals(17, calls.get());
        assertEquals(List.of(true, false, true), levels.subList(0, 3));
        assertFalse(levels.getLast());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldGoOnWhenTheLineThrows(boolean serious) {
        boolean[] broken = {true};
        InterruptStatus fragile = new InterruptStatus(level -> {
            levels.add(level);
            if (broken[0]) {
                broken[0] = false;
                if (serious) {
                    throw new AssertionError("on purpose");
                }
                throw new IllegalStateException("on purpose");
            }
        }, () -> true);
        Throwable thrown = assertThrows(Throwable.class, () -> fragile.raise(1));
        assertEquals(serious, thrown instanceof Error);
        fragile.updateLine();
        assertEquals(1, fragile.take());
        assertEquals(List.of(true, true, false), levels);
    }

    @Test
    void shouldSeeToTheChangesOfOthersWhenTheLineThrows() throws InterruptedException {
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        InterruptStatus fragile = new InterruptStatus(level -> {
            levels.add(level);
            if (level) {
                inside.countDown();
                await(go);
                throw new IllegalStateException("on purpose");
            }
        }, () -> true);
        List<Throwable> thrown = new ArrayList<>();
        Thread device = new Thread(() -> thrown.add(assertThrows(IllegalStateException.class, () -> fragile.raise(1))));
        device.start();
        await(inside);
        fragile.take();
        go.countDown();
        device.join();
        assertEquals(List.of(true, false), levels);
        assertEquals(1, thrown.size());
    }

    @Test
    void shouldEndWithTheRightLevelWhenRaisingAndAcknowledgingRace() throws InterruptedException {
        boolean[] line = new boolean[1];
        InterruptStatus raced = new InterruptStatus(level -> line[0] = level, () -> true);
        CyclicBarrier together = new CyclicBarrier(2);
        int rounds = 5_000;
        Thread driver = new Thread(() -> {
            for (int i = 0; i < rounds; i++) {
                await(together);
                raced.acknowledge(1);
                await(together);
            }
        });
        driver.start();
        int wrong = 0;
        for (int i = 0; i < rounds; i++) {
            await(together);
            raced.raise(1);
            await(together);
            wrong += line[0] == (raced.bits() != 0) ? 0 : 1;
        }
        driver.join();

        assertEquals(0, wrong);
    }

    private static void awaitWaiting(Thread thread) {
        while (thread.getState() != Thread.State.WAITING) {
            assertNotEquals(Thread.State.TERMINATED, thread.getState(), "it should wait");
            Thread.onSpinWait();
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException stopped) {
            throw new IllegalStateException(stopped);
        }
    }

    private static void await(CyclicBarrier barrier) {
        try {
            barrier.await();
        } catch (InterruptedException | BrokenBarrierException stopped) {
            throw new IllegalStateException(stopped);
        }
    }
}
