// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Consumer;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.virtio4j.device.ResetKind;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.iommu.embedder.IommuListener;

/**
 * Whoever takes something away from a device waits for the sections that may be using it. No timing decides here: the
 * section stays open until the waiter has said, through the stall listener, whom it waits for.
 */
class GracePeriodTest extends IommuTests {

    private static final long PAGE = 0x1000;
    private static final long DATA = IommuMachine.FREE_RAM;
    private static final int VALUE = 0x5a;

    private final BlockingQueue<String> heard = new LinkedBlockingQueue<>();

    /** What takes the page of {@link #machine} away from the disk. */
    enum Taking {
        UNMAP(machine -> request(machine, Requests.unmap(ONE, 0, -1))),
        DETACH(machine -> request(machine, Requests.detach(ONE, DISK))),
        ATTACH_TO_NEW_DOMAIN(machine -> request(machine, Requests.attach(7, DISK))),
        ATTACH_TO_OTHER_DOMAIN(machine -> request(machine, Requests.attach(TWO, DISK))),
        ATTACH_TO_BYPASS(machine -> request(machine, Requests.attachBypass(7, DISK))),
        DEVICE_RESET(machine -> machine.transport().writeStatus(0)),
        FUNCTION_RESET(machine -> machine.reset(ResetKind.FUNCTION)),
        SYSTEM_RESET(machine -> machine.reset(ResetKind.SYSTEM));

        @SuppressWarnings("ImmutableEnumChecker") // a lambda that captures nothing
        private final Consumer<IommuMachine> action;

        Taking(Consumer<IommuMachine> action) {
            this.action = action;
        }

        private static void request(IommuMachine machine, byte[] bytes) {
            machine.place(0, bytes, Spec.TAIL);
            machine.add(0, bytes, Spec.TAIL);
            machine.driver().kick(machine.requests());
        }
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("5.13.6.4 rule 25 and all else that takes away: not complete before the last section has ended")
    void shouldWaitForSectionWhenPageIsTakenAway(Taking taking) {
        IommuMachine machine = machine();
        machine.ok(Requests.map(ONE, PAGE, 2 * PAGE - 1, DATA));
        assertWaits(machine, PAGE, () -> taking.action.accept(machine));
    }

    @Test
    @DisplayName("5.13.4: bypass = 0 is not complete before the last section in bypass has ended")
    void shouldWaitForSectionWhenBypassEnds() {
        IommuMachine machine = machine();
        machine.ok(Requests.detach(ONE, DISK));
        machine.writeBypass(1);
        assertWaits(machine, DATA, () -> machine.writeBypass(0));
        assertBlocked(machine, DISK);
    }

    @Test
    @DisplayName("A system reset that takes the bypass away waits too")
    void shouldWaitForSectionWhenSystemResetEndsBypass() {
        IommuMachine machine = machine();
        machine.ok(Requests.detach(ONE, DISK));
        machine.writeBypass(1);
        assertWaits(machine, DATA, () -> machine.reset(ResetKind.SYSTEM));
        assertBlocked(machine, DISK);
    }

    @Test
    @DisplayName("A domain that ended is not given out again under the eyes of a reader")
    void shouldWaitForSectionWhenDomainsAreReusedInOneBatch() {
        IommuMachine machine = machine();
        machine.ok(Requests.map(ONE, PAGE, 2 * PAGE - 1, DATA));
        machine.fill(DATA + PAGE, PAGE, 0xee);
        List<byte[]> batch = new ArrayList<>();
        for (int i = 10; i < 30; i++) {
            batch.add(Requests.attach(i, DISK));
            batch.add(Requests.map(i, PAGE, 2 * PAGE - 1, DATA + PAGE));
        }
        assertWaits(machine, PAGE, () -> machine.sendAll(batch));
    }

    @Test
    @DisplayName("Nobody is waited for when nothing is taken away")
    void shouldNotWaitWhenNothingIsTakenAway() {
        IommuMachine machine = machine();
        machine.ok(Requests.map(ONE, PAGE, 2 * PAGE - 1, DATA));
        long before = machine.iommu().gracePeriods();
        DmaHandle handle = machine.dma(DISK);
        handle.enter();
        Threads.runAndWait(() -> {
            machine.ok(Requests.map(ONE, 4 * PAGE, 5 * PAGE - 1, DATA));
            machine.ok(Requests.unmap(ONE, 8 * PAGE, -1));
            assertEquals(Spec.RANGE, machine.status(Requests.unmap(ONE, PAGE, PAGE)));
            assertEquals(Spec.INVAL, machine.status(Requests.detach(TWO, DISK)));
            machine.ok(Requests.attach(ONE, DISK));
        });
        Dma.assertReads(handle, PAGE, 8, VALUE);
        handle.leave();
        assertEquals(before, machine.iommu().gracePeriods());
    }

    @Test
    @DisplayName("One grace period serves a whole batch")
    void shouldWaitOnceForBatch() {
        IommuMachine machine = machine();
        List<byte[]> batch = new ArrayList<>();
        for (int i = 0; i < 64; i++) {
            machine.ok(Requests.map(ONE, i * PAGE, (i + 1) * PAGE - 1, DATA));
            batch.add(Requests.unmap(ONE, i * PAGE, (i + 1) * PAGE - 1));
        }
        long before = machine.iommu().gracePeriods();
        machine.sendAll(batch);
        assertEquals(before + 1, machine.iommu().gracePeriods());
    }

    @Test
    @DisplayName("Who waits too long is told of, by name, and goes on waiting")
    void shouldReportWhoIsWaitedFor() {
        IommuMachine machine = machine();
        machine.ok(Requests.map(ONE, PAGE, 2 * PAGE - 1, DATA));
        long before = machine.iommu().stalls();
        assertWaits(machine, PAGE, () -> machine.ok(Requests.unmap(ONE, 0, -1)));
        assertEquals(before + 1, machine.iommu().stalls());
    }

    @Test
    @DisplayName("A device that is opened while nothing is waited for is waited for later")
    void shouldWaitForHandleThatWasOpenedLater() {
        IommuMachine machine = machine();
        machine.ok(Requests.map(ONE, PAGE, 2 * PAGE - 1, DATA));
        machine.dma(NIC);
        machine.ok(Requests.unmap(ONE, PAGE, 2 * PAGE - 1));
        machine.ok(Requests.map(ONE, PAGE, 2 * PAGE - 1, DATA));
        assertWaits(machine, PAGE, () -> machine.ok(Requests.unmap(ONE, 0, -1)));
    }

    /**
     * Holds a section of the disk open that has read at an address, lets somebody take that away, and shows that it is
     * not done before the section has ended; the disk can read until then.
     */
    private void assertWaits(IommuMachine machine, long iova, Runnable taking) {
        DmaHandle handle = machine.dma(DISK);
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch mayLeave = new CountDownLatch(1);
        Future<?> reader = Threads.start("reader", () -> {
            handle.enter();
            Dma.assertReads(handle, iova, (int) PAGE, VALUE);
            inside.countDown();
            Threads.await(mayLeave);
            Dma.assertReads(handle, iova, (int) PAGE, VALUE);
            heard.add("left");
            handle.leave();
        });
        Threads.await(inside);
        Future<?> taker = Threads.start("taker", () -> {
            taking.run();
            heard.add("taken");
        });
        try {
            assertEquals("waits for endpoint 8", take());
            assertFalse(machine.requests().poll(), "an answer is visible although the section is open");
        } finally {
            mayLeave.countDown();
        }
        Threads.join(reader);
        Threads.join(taker);
        assertEquals("left", take());
        assertEquals("taken", take());
        assertTrue(heard.isEmpty());
    }

    private String take() {
        try {
            return heard.take();
        } catch (InterruptedException stopped) {
            throw new IllegalStateException(stopped);
        }
    }

    private IommuMachine machine() {
        IommuMachine machine = start(iommu().stallLimit(Duration.ofMillis(1)).listener(new IommuListener() {
            @Override
            public void stalled(String holder, long waitedNanos) {
                heard.add("waits for " + holder);
            }
        }));
        machine.fill(DATA, PAGE, VALUE);
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(Requests.attach(TWO, NIC));
        return machine;
    }
}
