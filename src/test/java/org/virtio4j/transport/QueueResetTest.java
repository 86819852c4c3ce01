// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.virtio4j.fixture.RecordingDevice.SIZE_0;
import static org.virtio4j.transport.Guest.NEGOTIATED;
import static org.virtio4j.transport.Guest.RUNNING;
import static org.virtio4j.transport.Guest.buffer;
import static org.virtio4j.transport.Guest.offer;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.device.DeviceContext;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.fixture.DriverRing;
import org.virtio4j.fixture.Parked;
import org.virtio4j.fixture.RecordingDevice;
import org.virtio4j.queue.Chain;
import org.virtio4j.queue.DeviceQueue;
import org.virtio4j.queue.QueueFailure;
import org.virtio4j.wire.FeatureBit;

/** Section 2.6.1, and disabling where there is such a thing: one queue is taken back, the device goes on. */
class QueueResetTest extends TransportTests {

    private final RecordingDevice device = guest.device;
    private final MemorySegment host = Arena.ofAuto().allocate(64).fill((byte) 0x77);

    QueueResetTest(TransportKind kind) {
        super(kind);
    }

    @Test
    @DisplayName("2.6.1: a queue is not reset unless RING_RESET was negotiated")
    void shouldBeIgnoredUnlessItWasNegotiated() {
        DriverRing ring = guest.run();
        resetQueue();
        assertTrue(guest.driver.queueReady(0));
        guest.assertSettings(0, 8, ring.descriptors(), ring.available(), ring.used());
        assertEquals(8, Objects.requireNonNull(device.active().queue(0)).size());
        assertEquals(RUNNING, guest.status());
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 2, 3, 0x8000, 0xffff})
    @DisplayName("2.6.1: a queue is reset by 1 alone")
    void shouldBeIgnoredForAnyOtherValue(long value) {
        guest.run(FeatureBit.RING_RESET);
        guest.port.write(0, Register.QUEUE_RESET, value);
        assertTrue(guest.driver.queueReady(0));
    }

    @Test
    @DisplayName("2.6.1: a queue is not reset before the features are accepted")
    void shouldBeIgnoredBeforeTheFeaturesAreAccepted() {
        guest.accept(NegotiationTest.VERSION_1.with(FeatureBit.RING_RESET));
        guest.enable(0, guest.ring(0, 8));
        resetQueue();
        assertTrue(guest.driver.queueReady(0));
        guest.writeStatus(NEGOTIATED);
        resetQueue();
        assertFalse(guest.driver.queueReady(0));
    }

    @Test
    @DisplayName("2.6.1.1.1: a queue that was reset is as it was at the start, and the others go on")
    void shouldBringTheQueueBackToItsStart() {
        DriverRing ring = guest.run(FeatureBit.RING_RESET);
        DriverRing other = guest.ring(2, 4);
        guest.enable(1, other);
        assertTrue(guest.driver.resetQueue(0));
        assertFalse(guest.driver.queueReady(0));
        assertEquals(0, guest.port.read(0, Register.QUEUE_RESET), "and that is over");
        guest.assertSettings(0, SIZE_0, 0, 0, 0);
        assertEquals(SIZE_0, guest.driver.queueSizeMax(0));
        assertNull(device.active().queue(0));
        offer(ring, 0);
        guest.kick(0);
        assertEquals(0, ring.usedIndex());
        offer(other, 0);
        guest.kick(1);
        assertEquals(1, other.usedIndex(), "the other queue goes on");
        assertEquals(RUNNING, guest.status());
        assertTrue(guest.driver.resetQueue(0));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("2.6.1.1.1: the device is told of a queue that is reset or disabled, once it is closed")
    void shouldTellTheDeviceWhenTheQueueIsClosed(boolean byDisabling) {
        assumeDisabling(byDisabling);
        guest.run(FeatureBit.RING_RESET);
        assertTrue(byDisabling ? guest.driver.disableQueue(0) : guest.driver.resetQueue(0));
        assertEquals(List.of("0 closed"), device.stopped);
    }

    @Test
    @DisplayName("2.6.1.2.1: a queue takes other settings when it is enabled again")
    void shouldTakeOtherSettingsWhenItIsEnabledAgain() {
        DriverRing first = guest.run(FeatureBit.RING_RESET);
        offer(first, 0);
        guest.kick(0);
        offer(first, 1);
        guest.kick(0);
        assertEquals(2, first.usedIndex());
        assertTrue(guest.driver.resetQueue(0));

        DriverRing second = guest.ring(1, 32);
        guest.enable(0, second);
        assertTrue(guest.driver.queueReady(0));
        assertEquals(0, guest.port.read(0, Register.QUEUE_RESET));
        guest.assertSettings(0, 32, second.descriptors(), second.available(), second.used());
        assertEquals(32, Objects.requireNonNull(device.active().queue(0)).size());
        offer(second, 20);
        guest.kick(0);
        assertEquals(1, second.usedIndex(), "the indexes begin at 0");
        assertEquals(20, second.usedId(0));
        assertEquals(2, first.usedIndex());
    }

    @Test
    @DisplayName("2.6.1: a queue that failed runs again after a reset")
    void shouldRunAgainAfterAFailureOfTheQueue() {
        DriverRing ring = guest.run(FeatureBit.RING_RESET);
        ring.offer(99);
        guest.kick(0);
        assertTrue(guest.driver.resetQueue(0));
        DriverRing next = guest.ring(1, 8);
        guest.enable(0, next);
        offer(next, 0);
        guest.kick(0);
        assertEquals(1, next.usedIndex());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("2.6.1.1.1: data and completions of before do not arrive")
    void shouldStopDataAndCompletionsOfBefore(boolean byDisabling) {
        assumeDisabling(byDisabling);
        DriverRing ring = guest.run(FeatureBit.RING_RESET);
        DeviceQueue queue = Objects.requireNonNull(device.active().queue(0));
        offer(ring, 1);
        Chain chain = new Chain();
        queue.enter();
        assertTrue(queue.poll(chain));
        queue.leave();
        takeBack(byDisabling);
        queue.enter();
        assertEquals(DmaResult.CLOSED, chain.write(0, host, 0, 8));
        queue.complete(chain);
        queue.leave();
        assertFalse(queue.publish());
        assertEquals(0, ring.ram().i64(buffer(1)));
        assertEquals(0, ring.usedIndex());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("2.6.1.1.1: a reset waits for what the device is doing to the queue")
    void shouldWaitForTheSectionThatIsOpen(boolean byDisabling) {
        assumeDisabling(byDisabling);
        guest.run(FeatureBit.RING_RESET);
        DeviceQueue queue = Objects.requireNonNull(device.active().queue(0));
        Thread taker = new Thread(() -> takeBack(byDisabling), "taker");
        try (Parked section = Parked.between(queue::enter, queue::leave)) {
            taker.start();
            Parked.until(() -> taker.getState() == Thread.State.TIMED_WAITING);
            assertTrue(guest.driver.queueReady(0), "taken back while a section was open");
            assertEquals(byDisabling ? 0 : 1, guest.port.read(0, Register.QUEUE_RESET), "1 as long as it lasts");
            section.letGo();
        }
        Parked.finish(taker);
        assertFalse(guest.driver.queueReady(0));
        assertEquals(0, guest.port.read(0, Register.QUEUE_RESET));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("2.6.1.1.1: no notification of before arrives, while the device itself goes on")
    void shouldSendNoNotificationOfBefore(boolean byDisabling) {
        assumeDisabling(byDisabling);
        DriverRing ring = guest.run(FeatureBit.RING_RESET);
        DeviceContext active = device.active();
        DeviceQueue queue = Objects.requireNonNull(active.queue(0));
        offer(ring, 1);
        Chain chain = new Chain();
        queue.enter();
        assertTrue(queue.poll(chain));
        queue.complete(chain);
        queue.leave();
        assertTrue(queue.publish(), "the driver wants to hear of it");
        takeBack(byDisabling);
        guest.dropInterrupts();
        active.interrupt(0);
        guest.assertInterrupts(0);
        active.configChanged();
        guest.assertInterrupts(Port.CONFIG);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("2.6.1.1.1: neither a failure nor a notification of the old ring reaches the driver of the new one")
    void shouldNotBlameTheNewRingForTheOldOne(boolean byDisabling) {
        assumeDisabling(byDisabling);
        DriverRing ring = guest.run(FeatureBit.RING_RESET);
        DeviceContext active = device.active();
        DeviceQueue old = Objects.requireNonNull(active.queue(0));
        ring.offer(99);
        old.enter();
        assertFalse(old.poll(new Chain()));
        old.leave();
        assertEquals(QueueFailure.HEAD_OUT_OF_RANGE, old.failure());
        takeBack(byDisabling);
        DriverRing next = guest.ring(1, 8);
        guest.enable(0, next);
        guest.dropInterrupts();
        active.queueFailed(0, old);
        active.queueFailed(0, old, new IllegalStateException("late"));
        active.interrupt(0, old);
        guest.assertInterrupts(0);
        assertEquals(RUNNING, guest.status());
        assertEquals("", guest.port.needsResetReason());
        offer(next, 0);
        guest.kick(0);
        assertEquals(1, next.usedIndex());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("2.6.1.1.1: a reset waits for a notification that is on its way")
    void shouldWaitForANotificationThatIsOnItsWay(boolean byDisabling) {
        assumeDisabling(byDisabling);
        guest.run(FeatureBit.RING_RESET);
        DeviceContext active = device.active();
        guest.port.interrupts().hold();
        Thread raiser = new Thread(() -> active.interrupt(0), "raiser");
        Thread taker = new Thread(() -> takeBack(byDisabling), "taker");
        raiser.start();
        guest.port.interrupts().awaitHeld();
        taker.start();
        Parked.until(() -> active.queue(0) == null);
        for (int i = 0; i < 200_000; i++) {
            assertTrue(taker.isAlive(), "taken back before the notification was out");
            Thread.onSpinWait();
        }
        guest.port.interrupts().letGo();
        Parked.finish(raiser);
        Parked.finish(taker);
        assertFalse(guest.driver.queueReady(0));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("2.6.1.1.1, 4.2.2: what a queue alone has raised is withdrawn with it, and the line goes down")
    void shouldWithdrawWhatTheQueueHasRaised(boolean byDisabling) {
        assumeDisabling(byDisabling);
        assumeTrue(kind.keepsEvents(), () -> "nothing is kept on " + kind);
        guest.run(FeatureBit.RING_RESET);
        guest.dropInterrupts();
        device.active().interrupt(0);
        assertTrue(guest.port.interrupts().line());
        takeBack(byDisabling);
        assertFalse(guest.port.interrupts().line());
        assertEquals(0, guest.port.takeInterrupts());
        guest.enable(0, guest.ring(1, 4));
        device.active().interrupt(0);
        assertTrue(guest.port.interrupts().line());
        assertEquals(Port.USED, guest.port.takeInterrupts());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("2.6.1.1.1: what another queue or the configuration has raised as well is kept")
    void shouldKeepWhatOthersHaveRaised(boolean byDisabling) {
        assumeDisabling(byDisabling);
        assumeTrue(kind.keepsEvents(), () -> "nothing is kept on " + kind);
        guest.run(FeatureBit.RING_RESET);
        guest.enable(1, guest.ring(1, 4));
        guest.dropInterrupts();
        device.active().interrupt(1);
        device.active().interrupt(0);
        device.active().configChanged();
        takeBack(byDisabling);
        assertTrue(guest.port.interrupts().line());
        assertEquals(Port.USED | Port.CONFIG, guest.port.takeInterrupts());
        assertFalse(guest.port.interrupts().line());
        guest.enable(0, guest.ring(2, 4));
        device.active().interrupt(0);
        device.active().configChanged();
        takeBack(byDisabling);
        assertTrue(guest.port.interrupts().line());
        assertEquals(Port.CONFIG, guest.port.takeInterrupts(), "queue 1 has been seen to");
    }

    @Test
    @DisplayName("4.2.2: a queue that is disabled keeps its settings and can be enabled again")
    void shouldKeepItsSettingsWhenAQueueIsDisabled() {
        assumeDisabling(true);
        DriverRing ring = guest.run();
        device.take();
        assertTrue(guest.driver.disableQueue(0));
        assertFalse(guest.driver.queueReady(0));
        guest.assertSettings(0, 8, ring.descriptors(), ring.available(), ring.used());
        offer(ring, 0);
        guest.kick(0);
        assertEquals(0, ring.usedIndex());
        assertEquals(List.of(), device.take(), "nobody is kicked");
        guest.port.enableQueue(0);
        guest.kick(0);
        assertEquals(1, ring.usedIndex(), "with the settings it had");
        assertTrue(guest.driver.disableQueue(0));
        DriverRing next = guest.ring(1, 16);
        guest.enable(0, next);
        offer(next, 0);
        guest.kick(0);
        assertEquals(1, next.usedIndex());
    }

    @Test
    @DisplayName("4.2.2: a queue can be disabled before DRIVER_OK")
    void shouldDisableAQueueBeforeDriverOk() {
        assumeDisabling(true);
        guest.negotiate();
        DriverRing ring = guest.ring(0, 8);
        guest.enable(0, ring);
        assertTrue(guest.driver.disableQueue(0));
        offer(ring, 0);
        guest.writeStatus(RUNNING);
        assertEquals(0, ring.usedIndex());
        assertNull(device.active().queue(0));
    }

    @Test
    @DisplayName("4.1.4.3.2: where only a reset disables a queue, a driver that writes 0 does not")
    void shouldStayEnabledWhereNothingDisables() {
        assumeTrue(!kind.disablesQueues(), () -> "a queue can be disabled on " + kind);
        DriverRing ring = guest.run(FeatureBit.RING_RESET);
        guest.port.write(0, Register.QUEUE_ENABLE, 0);
        assertTrue(guest.driver.queueReady(0));
        offer(ring, 0);
        guest.kick(0);
        assertEquals(1, ring.usedIndex());
    }

    private void resetQueue() {
        guest.port.write(0, Register.QUEUE_RESET, 1);
    }

    private void takeBack(boolean byDisabling) {
        if (byDisabling) {
            guest.driver.disableQueue(0);
        } else {
            resetQueue();
        }
    }
}
