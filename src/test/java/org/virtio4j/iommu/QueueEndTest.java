// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.concurrent.Future;
import java.util.function.Consumer;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.virtio4j.device.ResetKind;
import org.virtio4j.driver.GuestBuffer;

/**
 * While one virtual CPU kicks without a pause, another ends the queue in each way there is and uses its memory for
 * something else: the device must not touch it any more.
 */
class QueueEndTest extends IommuTests {

    private static final int ROUNDS = 100;
    private static final int POISON = 0xee;

    /** Ways to end a queue; all of them leave a machine that can be started again. */
    enum Ending {
        QUEUE_RESET(machine -> assertTrue(machine.transport().resetQueue(IommuMachine.REQUESTS))),
        QUEUE_DISABLED(machine -> assertTrue(machine.transport().disableQueue(IommuMachine.REQUESTS))),
        DEVICE_RESET(IommuMachine::resetDevice),
        FUNCTION_RESET(machine -> machine.reset(ResetKind.FUNCTION)),
        SYSTEM_RESET(machine -> machine.reset(ResetKind.SYSTEM));

        @SuppressWarnings("ImmutableEnumChecker") // a lambda that captures nothing
        private final Consumer<IommuMachine> action;

        Ending(Consumer<IommuMachine> action) {
            this.action = action;
        }
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("2.6.1, 2.1.2: after the end of a queue neither ring nor buffers are touched")
    void shouldTouchNothingWhenQueueHasEnded(Ending ending) {
        assumeTrue(ending != Ending.QUEUE_DISABLED || transport.disablesQueues(),
                () -> "no queue can be disabled on " + transport + " but by a reset");
        IommuMachine machine = start();
        Kicker kicker = new Kicker(machine);
        Future<?> running = Threads.start("kicker", kicker);
        try {
            for (int round = 0; round < ROUNDS; round++) {
                endAndWatch(machine, ending, kicker);
                machine.start();
            }
        } finally {
            kicker.stop = true;
        }
        Threads.join(running);
    }

    private static void endAndWatch(IommuMachine machine, Ending ending, Kicker kicker) {
        addRequests(machine, 100);
        kicker.awaitKick();
        ending.action.accept(machine);
        GuestBuffer used = machine.requests().memory().usedRing();
        used.fill(0, used.length(), POISON);
        machine.poisonAnswers(POISON);
        kicker.awaitKick();
        assertTrue(isFilled(used, used.length()), "the used ring was written");
        assertTrue(machine.answersArePoisoned(POISON), "an answer was written");
    }

    private static void addRequests(IommuMachine machine, int count) {
        for (int i = 0; i < count; i++) {
            byte[] request = i % 2 == 0 ? Requests.attach(ONE, DISK) : Requests.detach(ONE, DISK);
            machine.place(i, request, Spec.TAIL);
            machine.add(i, request, Spec.TAIL);
            if (i % 10 == 0) {
                machine.requests().publish();
            }
        }
        machine.requests().publish();
    }

    private static boolean isFilled(GuestBuffer buffer, long length) {
        for (long i = 0; i < length; i++) {
            if (buffer.u8(i) != POISON) {
                return false;
            }
        }
        return true;
    }

    /** A virtual CPU that does nothing but kick. */
    private static final class Kicker implements Runnable {

        private final IommuMachine machine;
        private volatile boolean stop;
        private volatile long kicks;

        Kicker(IommuMachine machine) {
            this.machine = machine;
        }

        @Override
        public void run() {
            long count = 0;
            while (!stop) {
                machine.transport().notifyQueue(IommuMachine.REQUESTS);
                kicks = ++count;
            }
        }

        /** Returns when a kick has begun and ended since the call. */
        void awaitKick() {
            long before = kicks;
            Threads.awaitThat(() -> kicks >= before + 2);
        }
    }
}
