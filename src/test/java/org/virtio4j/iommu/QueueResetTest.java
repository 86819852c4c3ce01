// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.fixture.Parked;
import org.virtio4j.fixture.WhenMapping;
import org.virtio4j.transport.TransportKind;

/** Section 2.6.1: the reset of the request queue waits for the requests of a batch that is being carried out. */
class QueueResetTest extends IommuTests {

    private static final int BATCH = 64;
    private static final int HELD_AT = 2;

    private final CountDownLatch there = new CountDownLatch(1);
    private final CountDownLatch go = new CountDownLatch(1);

    @AfterEach
    void letGo() {
        go.countDown();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("2.6.1.1.1: when the queue is reset no MAP takes effect any more, and no answer is written")
    void shouldCarryNothingOutWhenReset(boolean byDisabling) {
        assumeTrue(!byDisabling || transport == TransportKind.MMIO, "only MMIO disables queues");
        int[] maps = new int[1];
        IommuMachine machine = start(iommu().mappingListener(new WhenMapping(() -> {
            if (++maps[0] == HELD_AT) {
                there.countDown();
                Parked.await(go);
            }
        })));
        machine.ok(Requests.attach(ONE, DISK));
        Future<?> kicker = kickMaps(machine);
        AtomicBoolean done = new AtomicBoolean();
        Thread resetter = new Thread(() -> {
            assertTrue(byDisabling ? machine.transport().disableQueue(IommuMachine.REQUESTS)
                    : machine.transport().resetQueue(IommuMachine.REQUESTS));
            done.set(true);
        }, "resetter");
        resetter.start();
        Parked.until(() -> resetter.getState() == Thread.State.TIMED_WAITING);
        assertTrue(machine.transport().queueReady(IommuMachine.REQUESTS), "reset while a MAP was carried out");
        machine.poisonAnswers(0xee);
        go.countDown();
        Parked.until(done::get);
        long mappings = machine.iommu().liveMappings();
        int carriedOut = maps[0];
        Threads.join(kicker);
        Parked.finish(resetter);
        assertEquals(mappings, machine.iommu().liveMappings());
        assertEquals(carriedOut, maps[0]);
        assertEquals(mappings, carriedOut);
        assertTrue(machine.answersArePoisoned(0xee), "an answer landed");
        machine.start();
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x8000));
    }

    private Future<?> kickMaps(IommuMachine machine) {
        for (int i = 0; i < BATCH; i++) {
            long at = 0x10_0000L + i * 0x1000L;
            byte[] request = Requests.map(ONE, at, at + 0xfff, 0x8000);
            machine.place(i, request, Spec.TAIL);
            machine.add(i, request, Spec.TAIL);
        }
        machine.requests().publish();
        Future<?> kicker = Threads.start("kicker", () -> machine.transport().notifyQueue(IommuMachine.REQUESTS));
        Parked.await(there);
        return kicker;
    }
}
