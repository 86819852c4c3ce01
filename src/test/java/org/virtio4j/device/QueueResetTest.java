// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.virtio4j.device.LifecycleFixture.NEGOTIATED;
import static org.virtio4j.device.LifecycleFixture.RUNNING;
import static org.virtio4j.device.LifecycleFixture.SIZE_0;
import static org.virtio4j.device.LifecycleFixture.buffer;
import static org.virtio4j.device.LifecycleFixture.offer;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.fixture.DriverRing;
import org.virtio4j.fixture.Parked;
import org.virtio4j.queue.Chain;
import org.virtio4j.queue.DeviceQueue;
import org.virtio4j.vmm.DmaResult;
import org.virtio4j.wire.FeatureBit;

/** Section 2.6.1 and the QueueReady register of 4.2.2: one queue is taken back, the device goes on. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class QueueResetTest {

    private final LifecycleFixture fixture = LifecycleFixture.identity();
    private final DeviceLifecycle lifecycle = fixture.lifecycle;
    private final MemorySegment host = Arena.ofAuto().allocate(64).fill((byte) 0x77);

    @AfterEach
    void close() {
        fixture.close();
    }

    @Test
    void shouldBeIgnoredUnlessItWasNegotiated() {
        fixture.run();
        lifecycle.resetQueue(0);
        assertTrue(lifecycle.queueEnabled(0));
        assertEquals(8, lifecycle.queueSize(0));
        assertEquals(RUNNING, lifecycle.status());
    }

    @Test
    void shouldBeIgnoredBeforeTheFeaturesAreSettled() {
        fixture.accept(Features.of(FeatureBit.VERSION_1, FeatureBit.RING_RESET));
        fixture.enable(0, fixture.ring(0, 8));
        lifecycle.resetQueue(0);
        assertTrue(lifecycle.queueEnabled(0));
        lifecycle.writeStatus(NEGOTIATED);
        lifecycle.resetQueue(0);
        assertFalse(lifecycle.queueEnabled(0));
    }

    @Test
    void shouldBringTheQueueBackToItsStart() {
        DriverRing ring = fixture.run(FeatureBit.RING_RESET);
        DriverRing other = fixture.ring(2, 4);
        fixture.enable(1, other);
        lifecycle.resetQueue(0);
        assertFalse(lifecycle.queueEnabled(0));
        assertEquals(SIZE_0, lifecycle.queueSize(0));
        for (QueueArea area : QueueArea.values()) {
            assertEquals(0, lifecycle.queueAddress(0, area));
        }
        assertNull(fixture.device.active().queue(0));
        offer(ring, 0);
        lifecycle.kick(0);
        assertEquals(0, ring.usedIndex());
        offer(other, 0);
        lifecycle.kick(1);
        assertEquals(1, other.usedIndex(), "the other queue goes on");
        assertEquals(RUNNING, lifecycle.status());
        lifecycle.resetQueue(0);
    }

    @Test
    void shouldTakeOtherSettingsWhenItIsEnabledAgain() {
        DriverRing first = fixture.run(FeatureBit.RING_RESET);
        offer(first, 0);
        lifecycle.kick(0);
        offer(first, 1);
        lifecycle.kick(0);
        assertEquals(2, first.usedIndex());
        lifecycle.resetQueue(0);

        DriverRing second = fixture.ring(1, 32);
        fixture.enable(0, second);
        assertTrue(lifecycle.queueEnabled(0));
        assertEquals(32, lifecycle.queueSize(0));
        offer(second, 20);
        lifecycle.kick(0);
        assertEquals(1, second.usedIndex(), "the indexes begin at 0");
        assertEquals(20, second.usedId(0));
        assertEquals(2, first.usedIndex());
    }

    @Test
    void shouldRunAgainAfterAFailureOfTheQueue() {
        DriverRing ring = fixture.run(FeatureBit.RING_RESET);
        ring.offer(99);
        lifecycle.kick(0);
        lifecycle.resetQueue(0);
        DriverRing next = fixture.ring(1, 8);
        fixture.enable(0, next);
        offer(next, 0);
        lifecycle.kick(0);
        assertEquals(1, next.usedIndex());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldStopDataAndCompletionsOfBefore(boolean byDisabling) {
        DriverRing ring = fixture.run(FeatureBit.RING_RESET);
        DeviceQueue queue = Objects.requireNonNull(fixture.device.active().queue(0));
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
    void shouldWaitForTheSectionThatIsOpen(boolean byDisabling) {
        fixture.run(FeatureBit.RING_RESET);
        DeviceQueue queue = Objects.requireNonNull(fixture.device.active().queue(0));
        Thread taker = new Thread(() -> takeBack(byDisabling), "taker");
        try (Parked device = Parked.between(queue::enter, queue::leave)) {
            taker.start();
            Parked.until(() -> taker.getState() == Thread.State.TIMED_WAITING);
            assertTrue(lifecycle.queueEnabled(0), "taken back while a section was open");
            device.letGo();
        }
        Parked.finish(taker);
        assertFalse(lifecycle.queueEnabled(0));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldSendNoNotificationOfBefore(boolean byDisabling) {
        DriverRing ring = fixture.run(FeatureBit.RING_RESET);
        DeviceContext active = fixture.device.active();
        DeviceQueue queue = Objects.requireNonNull(active.queue(0));
        offer(ring, 1);
        Chain chain = new Chain();
        queue.enter();
        assertTrue(queue.poll(chain));
        queue.complete(chain);
        queue.leave();
        assertTrue(queue.publish(), "the driver wants to hear of it");
        takeBack(byDisabling);
        fixture.signals.take();
        active.interrupt(0);
        assertEquals(List.of(), fixture.signals.take(), "an interrupt for a queue that was taken back");
        active.configChanged();
        assertEquals(List.of("config"), fixture.signals.take(), "the device itself goes on");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldWaitForANotificationThatIsOnItsWay(boolean byDisabling) {
        fixture.run(FeatureBit.RING_RESET);
        DeviceContext active = fixture.device.active();
        fixture.signals.hold();
        Thread raiser = new Thread(() -> active.interrupt(0), "raiser");
        Thread taker = new Thread(() -> takeBack(byDisabling), "taker");
        raiser.start();
        fixture.signals.awaitHeld();
        taker.start();
        Parked.until(() -> active.queue(0) == null);
        for (int i = 0; i < 200_000; i++) {
            assertTrue(taker.isAlive(), "taken back before the notification was out");
            Thread.onSpinWait();
        }
        fixture.signals.letGo();
        Parked.finish(raiser);
        Parked.finish(taker);
        assertFalse(lifecycle.queueEnabled(0));
    }

    @Test
    void shouldKeepItsSettingsWhenAQueueIsDisabled() {
        DriverRing ring = fixture.run();
        lifecycle.disableQueue(0);
        assertFalse(lifecycle.queueEnabled(0));
        assertEquals(8, lifecycle.queueSize(0));
        assertEquals(ring.used(), lifecycle.queueAddress(0, QueueArea.DEVICE));
        offer(ring, 0);
        lifecycle.kick(0);
        assertEquals(0, ring.usedIndex());
        DriverRing next = fixture.ring(1, 16);
        fixture.enable(0, next);
        offer(next, 0);
        lifecycle.kick(0);
        assertEquals(1, next.usedIndex());
    }

    @Test
    void shouldDisableAQueueBeforeDriverOk() {
        fixture.negotiate();
        DriverRing ring = fixture.ring(0, 8);
        fixture.enable(0, ring);
        lifecycle.disableQueue(0);
        offer(ring, 0);
        lifecycle.writeStatus(RUNNING);
        assertEquals(0, ring.usedIndex());
        assertNull(fixture.device.active().queue(0));
    }

    private void takeBack(boolean byDisabling) {
        if (byDisabling) {
            lifecycle.disableQueue(0);
        } else {
            lifecycle.resetQueue(0);
        }
    }
}
