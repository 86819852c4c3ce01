// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.virtio4j.device.LifecycleFixture.NEGOTIATED;
import static org.virtio4j.device.LifecycleFixture.RUNNING;
import static org.virtio4j.device.LifecycleFixture.SIZE_0;
import static org.virtio4j.device.LifecycleFixture.SIZE_1;
import static org.virtio4j.device.LifecycleFixture.buffer;
import static org.virtio4j.device.LifecycleFixture.offer;

import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.fixture.DriverRing;
import org.virtio4j.queue.DeviceQueue;
import org.virtio4j.wire.DeviceStatus;
import org.virtio4j.wire.FeatureBit;

/** Section 2.6 and 4.2.2: how a driver describes its queues, and which of what it says counts. */
class QueueSetUpTest {

    private final LifecycleFixture fixture = LifecycleFixture.identity();
    private final DeviceLifecycle lifecycle = fixture.lifecycle;

    @AfterEach
    void close() {
        fixture.close();
    }

    @Test
    void shouldBeginWithTheLargestSizeAndNoAddress() {
        assertEquals(2, lifecycle.queueCount());
        assertEquals(SIZE_0, lifecycle.queueSizeMax(0));
        assertEquals(SIZE_0, lifecycle.queueSize(0));
        assertEquals(SIZE_1, lifecycle.queueSizeMax(1));
        assertEquals(SIZE_1, lifecycle.queueSize(1));
        for (QueueArea area : QueueArea.values()) {
            assertEquals(0, lifecycle.queueAddress(0, area));
        }
        assertFalse(lifecycle.queueEnabled(0));
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 3, 63, 65, 128, 0x1_0000_0040L, -1, Long.MIN_VALUE, 0xffff_ffffL})
    void shouldIgnoreASizeThatNoRingCanHave(long size) {
        lifecycle.writeQueueSize(0, 16);
        lifecycle.writeQueueSize(0, size);
        assertEquals(16, lifecycle.queueSize(0));
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 4, 8, 16, 32, 64})
    void shouldTakeAPowerOfTwo(long size) {
        lifecycle.writeQueueSize(0, size);
        assertEquals(size, lifecycle.queueSize(0));
        assertEquals(SIZE_0, lifecycle.queueSizeMax(0));
        assertEquals(SIZE_1, lifecycle.queueSize(1), "of the selected queue only");
    }

    @ParameterizedTest
    @EnumSource(QueueArea.class)
    void shouldTakeAddressesWholeAndInHalves(QueueArea area) {
        lifecycle.writeQueueAddress(0, area, 0x0123_4567_89ab_cdefL);
        assertEquals(0x0123_4567_89ab_cdefL, lifecycle.queueAddress(0, area));
        lifecycle.writeQueueAddressLow(0, area, 0xffff_fff0);
        assertEquals(0x0123_4567_ffff_fff0L, lifecycle.queueAddress(0, area));
        lifecycle.writeQueueAddressHigh(0, area, 0x8000_0001);
        assertEquals(0x8000_0001_ffff_fff0L, lifecycle.queueAddress(0, area));
        for (QueueArea other : QueueArea.values()) {
            assertEquals(other == area ? 0x8000_0001_ffff_fff0L : 0, lifecycle.queueAddress(0, other));
        }
        assertEquals(0, lifecycle.queueAddress(1, area));
    }

    @ParameterizedTest
    @ValueSource(longs = {2, 3, 0xffff, 0x8000_0000L, 0xffff_ffffL, 1L << 32, -1, Long.MIN_VALUE, Long.MAX_VALUE})
    void shouldShowNothingOfAQueueThatDoesNotExist(long queue) {
        fixture.run(FeatureBit.RING_RESET);
        fixture.device.take();
        lifecycle.writeQueueSize(queue, 4);
        for (QueueArea area : QueueArea.values()) {
            lifecycle.writeQueueAddress(queue, area, 16);
            lifecycle.writeQueueAddressLow(queue, area, 16);
            lifecycle.writeQueueAddressHigh(queue, area, 16);
            assertEquals(0, lifecycle.queueAddress(queue, area));
        }
        lifecycle.enableQueue(queue);
        lifecycle.kick(queue);
        lifecycle.resetQueue(queue);
        lifecycle.disableQueue(queue);
        assertEquals(0, lifecycle.queueSizeMax(queue));
        assertEquals(0, lifecycle.queueSize(queue));
        assertFalse(lifecycle.queueEnabled(queue));
        assertEquals(List.of(), fixture.device.take());
        assertEquals(RUNNING, lifecycle.status());
        assertTrue(lifecycle.queueEnabled(0));
    }

    @Test
    void shouldKeepTheSettingsOfAnEnabledQueue() {
        DriverRing ring = fixture.run();
        lifecycle.writeQueueSize(0, 32);
        for (QueueArea area : QueueArea.values()) {
            lifecycle.writeQueueAddress(0, area, 0x5000);
            lifecycle.writeQueueAddressLow(0, area, 0x6000);
            lifecycle.writeQueueAddressHigh(0, area, 1);
        }
        assertEquals(8, lifecycle.queueSize(0));
        assertEquals(ring.descriptors(), lifecycle.queueAddress(0, QueueArea.DESCRIPTOR));
        assertEquals(ring.available(), lifecycle.queueAddress(0, QueueArea.DRIVER));
        assertEquals(ring.used(), lifecycle.queueAddress(0, QueueArea.DEVICE));
        DeviceQueue before = fixture.device.active().queue(0);
        lifecycle.enableQueue(0);
        assertEquals(before, fixture.device.active().queue(0), "enabling again changes nothing");
        offer(ring, 0);
        lifecycle.kick(0);
        assertEquals(1, ring.usedIndex());
    }

    @Test
    void shouldUseTheSettingsOfTheMomentItWasEnabled() {
        fixture.negotiate();
        DriverRing first = fixture.ring(0, 4);
        DriverRing second = fixture.ring(1, 4);
        fixture.enable(0, first);
        fixture.place(0, second);
        lifecycle.writeStatus(RUNNING);
        offer(first, 0);
        lifecycle.kick(0);
        assertEquals(1, first.usedIndex());
        assertEquals(4, Objects.requireNonNull(fixture.device.active().queue(0)).size());
    }

    @Test
    void shouldHaveNoQueueBeforeItIsEnabled() {
        DriverRing ring = fixture.run();
        assertNull(fixture.device.active().queue(1));
        DriverRing late = fixture.ring(1, 8);
        fixture.place(1, late);
        lifecycle.kick(1);
        fixture.enable(1, late);
        offer(late, 0);
        lifecycle.kick(1);
        assertEquals(1, late.usedIndex(), "a queue may come after DRIVER_OK");
        assertEquals(0, ring.usedIndex());
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 4, 8, 15, -1, -15})
    void shouldNeedAResetWhenTheDescriptorAreaIsMisaligned(long shift) {
        assertBroken(QueueArea.DESCRIPTOR, buffer(0) + shift);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 3, -1})
    void shouldNeedAResetWhenTheDriverAreaIsMisaligned(long shift) {
        assertBroken(QueueArea.DRIVER, buffer(0) + shift);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, -1, -2})
    void shouldNeedAResetWhenTheDeviceAreaIsMisaligned(long shift) {
        assertBroken(QueueArea.DEVICE, buffer(0) + shift);
    }

    @Test
    void shouldNeedAResetWhenAnAreaRunsOverTheEndOfTheAddressSpace() {
        // Of a ring of eight: 128 bytes of descriptors, 22 and 70 of the rings.
        assertBroken(QueueArea.DESCRIPTOR, -112);
        assertBroken(QueueArea.DRIVER, -20);
        assertBroken(QueueArea.DEVICE, -68);
        assertBroken(QueueArea.DEVICE, -4);
    }

    @Test
    void shouldAcceptAnAreaThatEndsWithTheAddressSpace() {
        fixture.negotiate();
        fixture.memory.addAnonymous(-4096, 4096);
        DriverRing ring = new DriverRing(fixture.ram, 8, -128, -512, -1024);
        fixture.enable(0, ring);
        lifecycle.writeStatus(RUNNING);
        assertTrue(lifecycle.queueEnabled(0));
        offer(ring, 0);
        lifecycle.kick(0);
        assertEquals(1, ring.usedIndex());
        assertEquals(RUNNING, lifecycle.status());
    }

    @Test
    void shouldTellTheDriverWhenAMisplacedQueueIsEnabledWhileItRuns() {
        fixture.run();
        fixture.signals.take();
        lifecycle.writeQueueAddress(1, QueueArea.DRIVER, 1);
        lifecycle.enableQueue(1);
        assertEquals(RUNNING | DeviceStatus.NEEDS_RESET, lifecycle.status());
        assertEquals(List.of("config"), fixture.signals.take());
        assertNull(fixture.device.active().queue(1));
        assertEquals("queue 1: enabled with misaligned or impossible addresses", lifecycle.needsResetReason());
        lifecycle.enableQueue(1);
        assertEquals(List.of(), fixture.signals.take(), "once");
    }

    @Test
    void shouldNeedAResetWhenAnEnabledRingIsNotInMemory() {
        fixture.negotiate();
        DriverRing ring = fixture.ring(0, 8);
        fixture.place(0, ring);
        lifecycle.writeQueueSize(0, 8);
        lifecycle.writeQueueAddress(0, QueueArea.DEVICE, 0x7000_0000_0000L);
        lifecycle.enableQueue(0);
        lifecycle.writeStatus(RUNNING);
        assertEquals(RUNNING | DeviceStatus.NEEDS_RESET, lifecycle.status(), "found out when the device looks at it");
        assertEquals("queue 0: RING_UNREACHABLE", lifecycle.needsResetReason());
        assertEquals(List.of("config"), fixture.signals.take());
    }

    private void assertBroken(QueueArea area, long address) {
        lifecycle.writeStatus(0);
        fixture.negotiate();
        fixture.signals.take();
        lifecycle.writeQueueSize(0, 8);
        fixture.place(0, fixture.ring(0, 8));
        lifecycle.writeQueueAddress(0, area, address);
        lifecycle.enableQueue(0);
        assertFalse(lifecycle.queueEnabled(0));
        assertEquals(NEGOTIATED | DeviceStatus.NEEDS_RESET, lifecycle.status());
        assertEquals(List.of(), fixture.signals.take(), "no notification before DRIVER_OK");
        lifecycle.kick(0);
        lifecycle.writeStatus(0);
        assertEquals(0, lifecycle.status());
        assertEquals("", lifecycle.needsResetReason());
    }
}
