// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import org.junit.jupiter.api.Test;

class InterruptStatusTest {

    private final List<Boolean> levels = new ArrayList<>();
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
    void shouldLeaveTheLineToTheCallerWhenEventsAreForgotten() {
        status.raise(1);
        status.forget();
        assertEquals(List.of(true), levels);
        status.settle();
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
    void shouldKeepTheEventAndTheLineLowWhenTheLineIsNotUsed() {
        used = false;
        status.raise(1);
        assertEquals(1, status.bits());
        assertEquals(List.of(false), levels);
        used = true;
        status.settle();
        assertEquals(List.of(false, true), levels);
    }

    @Test
    void shouldSetTheLineAgainWhenItWasOvertaken() {
        InterruptStatus[] own = new InterruptStatus[1];
        boolean[] overtaken = new boolean[1];
        own[0] = new InterruptStatus(level -> {
            if (!overtaken[0]) {
                overtaken[0] = true;
                own[0].acknowledge(1);
            }
            levels.add(level);
        }, () -> true);
        own[0].raise(1);

        assertEquals(List.of(false, true, false), levels);
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

    private static void await(CyclicBarrier barrier) {
        try {
            barrier.await();
        } catch (InterruptedException | BrokenBarrierException stopped) {
            throw new IllegalStateException(stopped);
        }
    }
}
