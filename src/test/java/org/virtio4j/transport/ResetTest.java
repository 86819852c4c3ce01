// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.virtio4j.fixture.RecordingDevice.BIT_OF_TYPE;
import static org.virtio4j.fixture.RecordingDevice.SIZE_0;
import static org.virtio4j.fixture.RecordingDevice.SIZE_1;
import static org.virtio4j.transport.Guest.FOUND;
import static org.virtio4j.transport.Guest.NEGOTIATED;
import static org.virtio4j.transport.Guest.RUNNING;
import static org.virtio4j.transport.Guest.buffer;
import static org.virtio4j.transport.Guest.offer;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.device.DeviceContext;
import org.virtio4j.device.ResetKind;
import org.virtio4j.device.transport.QueueArea;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.fixture.DriverRing;
import org.virtio4j.fixture.Parked;
import org.virtio4j.fixture.RecordingDevice;
import org.virtio4j.queue.Chain;
import org.virtio4j.queue.DeviceQueue;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.wire.DeviceStatus;

/** Sections 2.4 and 2.4.1: after a reset nothing of before reaches guest memory or the driver. */
class ResetTest extends TransportTests {

    private static final List<ResetKind> KINDS = List.of(ResetKind.values());

    private final RecordingDevice device = guest.device;
    private final Port port = guest.port;
    private final MemorySegment host = Arena.ofAuto().allocate(64).fill((byte) 0x77);

    ResetTest(TransportKind kind) {
        super(kind);
    }

    @ParameterizedTest
    @EnumSource(ResetKind.class)
    @DisplayName("2.4.1: all of the driver's state is cleared")
    void shouldClearAllOfTheDriver(ResetKind reset) {
        guest.run(BIT_OF_TYPE);
        guest.dropInterrupts();
        device.active().interrupt(0);
        device.active().configChanged();
        if (!kind.keepsEvents()) {
            guest.dropInterrupts();
        }
        device.take();
        port.reset(reset);
        assertEquals(0, guest.status());
        assertEquals(List.of("reset " + reset), device.take());
        assertEquals(0, port.takeInterrupts());
        assertFalse(guest.driver.queueReady(0));
        guest.assertSettings(0, SIZE_0, 0, 0, 0);
        assertEquals(SIZE_0, guest.driver.queueSizeMax(0));
        for (int word = 0; word < 4 && port.shows(Register.DRIVER_FEATURE); word++) {
            port.write(Register.DRIVER_FEATURE_SELECT, word);
            assertEquals(0, port.read(Register.DRIVER_FEATURE));
        }
        guest.enable(0, guest.ring(0, 8));
        guest.kick(0);
        assertEquals(List.of(), device.take(), "a kick before the next DRIVER_OK");
        port.writeAddress(1, QueueArea.DEVICE, 1);
        port.enableQueue(1);
        assertEquals(DeviceStatus.NEEDS_RESET, guest.status(), "a failure counts for the driver that is there now");
        guest.writeStatus(NEGOTIATED);
        assertEquals(FOUND | DeviceStatus.NEEDS_RESET, guest.status(), "no feature is accepted any more");
    }

    @Test
    @DisplayName("2.4.1: what a driver has selected is cleared")
    void shouldClearWhatIsSelected() {
        guest.run();
        port.write(Register.DEVICE_FEATURE_SELECT, 2);
        port.write(Register.DRIVER_FEATURE_SELECT, 2);
        port.write(Register.QUEUE_SELECT, 1);
        guest.writeStatus(0);
        assertEquals(1, (port.read(Register.DEVICE_FEATURE) >>> BIT_OF_TYPE) & 1);
        // In word 2 the bit of word 0 is not offered, and FEATURES_OK would stay clear.
        port.write(Register.DRIVER_FEATURE, 1 << BIT_OF_TYPE);
        // Queue 1 is too small for this.
        port.write(Register.QUEUE_SIZE, 16);
        guest.driver.acceptFeatures(1, 1);
        guest.writeStatus(NEGOTIATED);
        assertEquals(NEGOTIATED, guest.status());
        guest.place(0, guest.ring(0, 16));
        port.enableQueue(0);
        guest.writeStatus(RUNNING);
        assertEquals(NegotiationTest.VERSION_1.with(BIT_OF_TYPE), device.active().features());
        assertEquals(16, Objects.requireNonNull(device.active().queue(0)).size());
        assertEquals(SIZE_1, guest.driver.queueSizeMax(1));
    }

    @Test
    @DisplayName("2.4: a driver resets by writing 0")
    void shouldResetWhenTheDriverWritesZero() {
        guest.run();
        device.take();
        guest.writeStatus(0);
        assertEquals(0, guest.status());
        assertEquals(List.of("reset DEVICE"), device.take());
    }

    @ParameterizedTest
    @EnumSource(ResetKind.class)
    @DisplayName("2.4: a device is told also when no driver was there")
    void shouldTellTheDeviceAlsoWhenNoDriverWasThere(ResetKind reset) {
        port.reset(reset);
        assertEquals(List.of("reset " + reset), device.take());
        guest.assertInterrupts(0);
    }

    @Test
    @DisplayName("2.4: a driver may start anew as often as it likes")
    void shouldStartAnewAsOftenAsTheDriverLikes() {
        for (int i = 0; i < 20; i++) {
            DriverRing ring = guest.run();
            offer(ring, 1);
            guest.kick(0);
            assertEquals(1, ring.usedIndex(), "indexes begin at 0 again");
            port.reset(KINDS.get(i % 3));
        }
        assertTrue(guest.memory.gracePeriods().stalls() == 0);
    }

    @ParameterizedTest
    @EnumSource(ResetKind.class)
    @DisplayName("2.4.1: data and completions of before do not arrive")
    void shouldStopDataOfBefore(ResetKind reset) {
        DriverRing ring = guest.run();
        DeviceContext old = device.active();
        DeviceQueue queue = Objects.requireNonNull(old.queue(0));
        offer(ring, 1);
        Chain chain = new Chain();
        queue.enter();
        assertTrue(queue.poll(chain));
        queue.leave();

        port.reset(reset);
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
    @DisplayName("2.4.1: a reset waits for what the device is doing")
    void shouldWaitForTheSectionThatIsOpen() {
        DriverRing ring = guest.run();
        DeviceQueue queue = Objects.requireNonNull(device.active().queue(0));
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
        Thread resetter = new Thread(() -> guest.writeStatus(0), "resetter");
        try (Parked section = Parked.between(take, finish)) {
            resetter.start();
            Parked.until(() -> resetter.getState() == Thread.State.TIMED_WAITING);
            assertEquals(RUNNING, guest.status(), "not reset before the section has ended");
            section.letGo();
        }
        Parked.finish(resetter);
        assertEquals(0, guest.status());
        assertFalse(queue.publish());
    }

    @ParameterizedTest
    @EnumSource(ResetKind.class)
    @DisplayName("2.4.1: no interrupt of before arrives, not even in the next life")
    void shouldSendNoInterruptOfBefore(ResetKind reset) {
        guest.run();
        DeviceContext old = device.active();
        DeviceQueue ring = Objects.requireNonNull(old.queue(0));
        port.reset(reset);
        guest.dropInterrupts();
        raiseAll(old, ring);
        guest.assertInterrupts(0);
        assertEquals(0, guest.status(), "NEEDS_RESET of before");
        assertEquals("", port.needsResetReason());

        guest.run();
        guest.dropInterrupts();
        raiseAll(old, ring);
        guest.assertInterrupts(0);
        assertEquals(RUNNING, guest.status());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("2.4.1: a reset waits for an interrupt that is on its way")
    void shouldWaitForAnInterruptThatIsOnItsWay(boolean withQueue) {
        // The embedder is held inside its callback; the reset must not be over before it is out of there.
        if (withQueue) {
            guest.run();
        } else {
            guest.negotiate();
            guest.writeStatus(RUNNING);
        }
        DeviceContext active = device.active();
        device.take();
        guest.dropInterrupts();
        port.interrupts().hold();
        Thread raiser = new Thread(withQueue ? () -> active.interrupt(0) : active::configChanged, "raiser");
        Thread resetter = new Thread(() -> guest.writeStatus(0), "resetter");
        raiser.start();
        port.interrupts().awaitHeld();
        resetter.start();
        // The last trace of the resetter before it waits; after it, it would be done long before the loop is.
        Parked.until(() -> resetter.getState() == Thread.State.TIMED_WAITING);
        for (int i = 0; i < 20_000; i++) {
            assertEquals(RUNNING, guest.status(), "the reset was over before the interrupt");
        }
        assertTrue(kind.isPci() || resetter.isAlive(), "only PCI shows a driver that a reset takes longer");
        assertEquals(0, port.interrupts().arrived());
        port.interrupts().letGo();
        Parked.finish(raiser);
        Parked.finish(resetter);
        assertEquals(1, port.interrupts().take());
        assertEquals(0, guest.status());
    }

    @Test
    @DisplayName("2.4: an embedder whose interrupt input throws can still reset the device")
    void shouldSurviveAnEmbedderThatThrows() {
        RecordingDevice own = new RecordingDevice();
        Port held = kind.connect(own, DmaSpace.identity(guest.memory), () -> {
            throw new IllegalStateException("an embedder's mistake");
        });
        held.driver().acceptFeatures(1, 1);
        held.driver().writeStatus(RUNNING);
        try {
            own.active().needsReset("test");
        } catch (IllegalStateException expected) {
            assertEquals("an embedder's mistake", expected.getMessage());
        }
        assertEquals(RUNNING | DeviceStatus.NEEDS_RESET, held.driver().status());
        // Would wait for ever for the interrupt that never ended.
        held.driver().writeStatus(0);
        assertEquals(0, held.driver().status());
    }

    @Test
    @DisplayName("2.4.1: nothing of before arrives while others kick")
    void shouldRunBesideKicksOfOtherThreads() {
        AtomicBoolean stop = new AtomicBoolean();
        Thread kicker = new Thread(() -> {
            while (!stop.get()) {
                guest.kick(0);
                guest.kick(1);
            }
        }, "kicker");
        kicker.start();
        for (int i = 0; i < 300; i++) {
            DriverRing ring = guest.run();
            offer(ring, 0);
            Parked.until(() -> ring.usedIndex() == 1);
            port.reset(KINDS.get(i % 3));
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
    @DisplayName("A device goes on while other memory comes and goes")
    void shouldRunBesideMemoryThatComesAndGoes() {
        GuestMemory memory = guest.memory;
        DriverRing ring = guest.run();
        for (int i = 0; i < 20; i++) {
            var region = memory.addAnonymous(0, 4096);
            offer(ring, i % 8);
            guest.kick(0);
            memory.remove(region, Duration.ofSeconds(10));
            assertEquals(i + 1, ring.usedIndex());
        }
        assertEquals(RUNNING, guest.status());
    }

    private static void raiseAll(DeviceContext context, DeviceQueue ring) {
        context.interrupt(0);
        context.configChanged();
        context.queueFailed(0, ring, new IllegalStateException("late"));
        context.needsReset("late");
    }
}
