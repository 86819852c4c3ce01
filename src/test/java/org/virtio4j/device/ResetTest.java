// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.virtio4j.device.LifecycleFixture.RUNNING;
import static org.virtio4j.device.LifecycleFixture.SIZE_0;
import static org.virtio4j.device.LifecycleFixture.buffer;
import static org.virtio4j.device.LifecycleFixture.offer;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.fixture.DriverRing;
import org.virtio4j.fixture.Parked;
import org.virtio4j.queue.Chain;
import org.virtio4j.queue.DeviceQueue;
import org.virtio4j.vmm.DmaResult;
import org.virtio4j.vmm.DmaSpace;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.wire.DeviceStatus;

/** Sections 2.4 and 2.4.1: after a reset nothing of before reaches guest memory or the driver. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ResetTest {

    private static final List<ResetKind> KINDS = List.of(ResetKind.values());

    private final LifecycleFixture fixture = LifecycleFixture.identity();
    private final DeviceLifecycle lifecycle = fixture.lifecycle;
    private final MemorySegment host = Arena.ofAuto().allocate(64).fill((byte) 0x77);

    @AfterEach
    void close() {
        fixture.close();
    }

    @ParameterizedTest
    @EnumSource(ResetKind.class)
    void shouldForgetAllOfTheDriver(ResetKind kind) {
        fixture.run(LifecycleFixture.BIT_OF_TYPE);
        fixture.signals.take();
        fixture.device.take();
        lifecycle.reset(kind);
        assertEquals(0, lifecycle.status());
        assertEquals(List.of("reset " + kind), fixture.device.take());
        assertEquals(List.of("reset"), fixture.signals.take());
        assertFalse(lifecycle.queueEnabled(0));
        assertEquals(SIZE_0, lifecycle.queueSize(0));
        for (QueueArea area : QueueArea.values()) {
            assertEquals(0, lifecycle.queueAddress(0, area));
        }
        for (int word = 0; word < 4; word++) {
            assertEquals(0, lifecycle.driverFeatures(word));
        }
        fixture.enable(0, fixture.ring(0, 8));
        lifecycle.kick(0);
        assertEquals(List.of(), fixture.device.take(), "a kick before the next DRIVER_OK");
        lifecycle.writeQueueAddress(1, QueueArea.DEVICE, 1);
        lifecycle.enableQueue(1);
        assertEquals(DeviceStatus.NEEDS_RESET, lifecycle.status(), "a failure counts for the driver that is there now");
    }

    @Test
    void shouldResetWhenTheDriverWritesZero() {
        fixture.run();
        fixture.device.take();
        lifecycle.writeStatus(0);
        assertEquals(0, lifecycle.status());
        assertEquals(List.of("reset DEVICE"), fixture.device.take());
    }

    @ParameterizedTest
    @EnumSource(ResetKind.class)
    void shouldTellTheDeviceAlsoWhenNoDriverWasThere(ResetKind kind) {
        lifecycle.reset(kind);
        assertEquals(List.of("reset " + kind), fixture.device.take());
        assertEquals(List.of("reset"), fixture.signals.take());
    }

    @Test
    void shouldStartAnewAsOftenAsTheDriverLikes() {
        for (int i = 0; i < 20; i++) {
            DriverRing ring = fixture.run();
            offer(ring, 1);
            lifecycle.kick(0);
            assertEquals(1, ring.usedIndex(), "indexes begin at 0 again");
            lifecycle.reset(KINDS.get(i % 3));
        }
        assertTrue(fixture.memory.readers().stalls() == 0);
    }

    @ParameterizedTest
    @EnumSource(ResetKind.class)
    void shouldStopDataOfBefore(ResetKind kind) {
        DriverRing ring = fixture.run();
        DeviceContext old = fixture.device.active();
        DeviceQueue queue = Objects.requireNonNull(old.queue(0));
        offer(ring, 1);
        Chain chain = new Chain();
        queue.enter();
        assertTrue(queue.poll(chain));
        queue.leave();

        lifecycle.reset(kind);
        assertNull(old.queue(0));
        queue.enter();
        assertEquals(DmaResult.CLOSED, chain.write(0, host, 0, 8));
        queue.complete(chain);
        queue.leave();
        assertFalse(queue.publish());
        assertEquals(0, ring.ram().i64(buffer(1)), "data of before");
        assertEquals(0, ring.usedIndex(), "a completion of before");
    }

    @Test
    void shouldWaitForTheSectionThatIsOpen() {
        DriverRing ring = fixture.run();
        DeviceQueue queue = Objects.requireNonNull(fixture.device.active().queue(0));
        offer(ring, 1);
        Chain chain = new Chain();
        Runnable take = () -> {
            queue.enter();
            assertTrue(queue.poll(chain));
        };
        Runnable finish = () -> {
            assertEquals(DmaResult.OK, chain.write(0, host, 0, 8));
            queue.complete(chain);
            queue.leave();
        };
        Thread resetter = new Thread(() -> lifecycle.writeStatus(0), "resetter");
        try (Parked device = Parked.between(take, finish)) {
            resetter.start();
            Parked.until(() -> resetter.getState() == Thread.State.TIMED_WAITING);
            assertEquals(RUNNING, lifecycle.status(), "not reset before the section has ended");
            device.letGo();
        }
        Parked.finish(resetter);
        assertEquals(0, lifecycle.status());
        assertFalse(queue.publish());
    }

    @ParameterizedTest
    @EnumSource(ResetKind.class)
    void shouldSendNoInterruptOfBefore(ResetKind kind) {
        fixture.run();
        DeviceContext old = fixture.device.active();
        lifecycle.reset(kind);
        fixture.signals.take();
        raiseAll(old);
        assertEquals(List.of(), fixture.signals.take());
        assertEquals(0, lifecycle.status(), "NEEDS_RESET of before");
        assertEquals("", lifecycle.needsResetReason());

        fixture.run();
        fixture.signals.take();
        raiseAll(old);
        assertEquals(List.of(), fixture.signals.take(), "nor in the next life");
        assertEquals(RUNNING, lifecycle.status());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldWaitForAnInterruptThatIsOnItsWay(boolean withQueue) {
        // The transport is held inside its callback; the reset must not be over before it is out of there.
        if (withQueue) {
            fixture.run();
        } else {
            fixture.negotiate();
            lifecycle.writeStatus(RUNNING);
        }
        DeviceContext active = fixture.device.active();
        fixture.device.take();
        fixture.signals.take();
        fixture.signals.hold();
        Thread raiser = new Thread(withQueue ? () -> active.interrupt(0) : active::configChanged, "raiser");
        Thread resetter = new Thread(() -> lifecycle.writeStatus(0), "resetter");
        raiser.start();
        fixture.signals.awaitHeld();
        resetter.start();
        // The last trace of the resetter before it waits; after it, it would be done long before the loop is.
        Parked.until(() -> withQueue ? active.queue(0) == null : fixture.device.calls.contains("reset DEVICE"));
        for (int i = 0; i < 200_000; i++) {
            assertTrue(fixture.signals.heard.isEmpty(), "the reset was over before the interrupt");
            Thread.onSpinWait();
        }
        fixture.signals.letGo();
        Parked.finish(raiser);
        Parked.finish(resetter);
        assertEquals(List.of(withQueue ? "queue 0" : "config", "reset"), fixture.signals.take());
    }

    @Test
    void shouldSurviveATransportThatThrows() {
        TransportSignals broken = new TransportSignals() {
            @Override
            public void queueInterrupt(int queue) {
                throw new IllegalStateException("an embedder's mistake");
            }

            @Override
            public void configInterrupt() {
                throw new IllegalStateException("an embedder's mistake");
            }

            @Override
            public void deviceReset() {
                // Nothing is pending.
            }
        };
        LifecycleFixture.Device device = new LifecycleFixture.Device();
        DeviceLifecycle held = new DeviceLifecycle(device, DmaSpace.identity(fixture.memory), broken);
        held.writeDriverFeatures(1, 1);
        held.writeStatus(RUNNING);
        try {
            device.active().needsReset("test");
        } catch (IllegalStateException expected) {
            assertEquals("an embedder's mistake", expected.getMessage());
        }
        // Would wait for ever for the interrupt that never ended.
        held.writeStatus(0);
        assertEquals(0, held.status());
    }

    @Test
    void shouldRunBesideKicksOfOtherThreads() {
        AtomicBoolean stop = new AtomicBoolean();
        Thread kicker = new Thread(() -> {
            while (!stop.get()) {
                lifecycle.kick(0);
                lifecycle.kick(1);
            }
        }, "kicker");
        kicker.start();
        for (int i = 0; i < 300; i++) {
            DriverRing ring = fixture.run();
            offer(ring, 0);
            Parked.until(() -> ring.usedIndex() == 1);
            lifecycle.reset(KINDS.get(i % 3));
            long before = ring.ram().i64(ring.used());
            ring.ram().fill(ring.used(), 8, 0);
            ring.ram().fill(buffer(1), 8, 0);
            offer(ring, 1);
            assertEquals(0, ring.ram().i64(ring.used()), "a ring of before was used");
            assertTrue(before != 0);
        }
        stop.set(true);
        Parked.finish(kicker);
    }

    @Test
    void shouldRunBesideMemoryThatComesAndGoes() {
        GuestMemory memory = fixture.memory;
        DriverRing ring = fixture.run();
        for (int i = 0; i < 20; i++) {
            var region = memory.addAnonymous(0, 4096);
            offer(ring, i % 8);
            lifecycle.kick(0);
            memory.remove(region, Duration.ofSeconds(10));
            assertEquals(i + 1, ring.usedIndex());
        }
        assertEquals(RUNNING, lifecycle.status());
    }

    private static void raiseAll(DeviceContext context) {
        context.interrupt(0);
        context.configChanged();
        context.queueFailed(0);
        context.needsReset("late");
    }
}
