// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.virtio4j.device.LifecycleFixture.RUNNING;
import static org.virtio4j.device.LifecycleFixture.buffer;
import static org.virtio4j.device.LifecycleFixture.offer;

import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.virtio4j.fixture.DriverRing;
import org.virtio4j.queue.QueueFailure;
import org.virtio4j.wire.AvailableRing;
import org.virtio4j.wire.DeviceStatus;
import org.virtio4j.wire.FeatureBit;

/** Sections 2.1.2 and 2.3: kicks, notifications, and a device that cannot go on. */
class OperationTest {

    private final LifecycleFixture fixture = LifecycleFixture.identity();
    private final DeviceLifecycle lifecycle = fixture.lifecycle;

    @AfterEach
    void close() {
        fixture.close();
    }

    @Test
    void shouldServeAKickBeforeItReturns() {
        DriverRing ring = fixture.run();
        fixture.device.take();
        offer(ring, 2);
        lifecycle.kick(0);
        assertEquals(List.of("kicked 0"), fixture.device.take());
        assertEquals(List.of("queue 0"), fixture.signals.take());
        assertEquals(1, ring.usedIndex());
        assertEquals(2, ring.usedId(0));
        assertEquals(8, ring.usedLength(0));
        assertEquals(0xab, ring.ram().u8(buffer(2) + 7));
    }

    @Test
    void shouldTolerateAKickForNothing() {
        DriverRing ring = fixture.run();
        for (int i = 0; i < 5; i++) {
            lifecycle.kick(0);
        }
        assertEquals(0, ring.usedIndex());
        assertEquals(List.of(), fixture.signals.take());
        assertEquals(RUNNING, lifecycle.status());
    }

    @Test
    void shouldNotNotifyADriverThatDoesNotWantIt() {
        DriverRing ring = fixture.run();
        ring.availableFlags(AvailableRing.FLAG_NO_INTERRUPT);
        offer(ring, 0);
        lifecycle.kick(0);
        assertEquals(1, ring.usedIndex());
        assertEquals(List.of(), fixture.signals.take());
    }

    @Test
    void shouldUseTheRingFeaturesThatWereNegotiated() {
        DriverRing ring = fixture.run(FeatureBit.EVENT_IDX, FeatureBit.INDIRECT_DESC);
        ring.availableFlags(AvailableRing.FLAG_NO_INTERRUPT);
        ring.usedEvent(0);
        ring.descriptor(0, ring.table(buffer(0), DriverRing.Buffer.writable(buffer(1), 8)));
        ring.offer(0);
        lifecycle.kick(0);
        assertEquals(List.of("queue 0"), fixture.signals.take());
        assertEquals(8, ring.usedLength(0));
    }

    @Test
    void shouldIgnoreKicksBeforeDriverOkAndLookThen() {
        fixture.negotiate();
        DriverRing ring = fixture.ring(0, 8);
        fixture.enable(0, ring);
        offer(ring, 0);
        offer(ring, 1);
        lifecycle.kick(0);
        assertEquals(List.of(), fixture.device.take());
        assertEquals(0, ring.usedIndex(), "no buffer is used before DRIVER_OK");
        assertEquals(List.of(), fixture.signals.take());

        lifecycle.writeStatus(RUNNING);
        assertEquals(2, ring.usedIndex(), "what came before is found without another kick");
        assertEquals(List.of("activate", "kicked 0"), fixture.device.take(), "and only for queues that are enabled");
        assertEquals(List.of("queue 0"), fixture.signals.take());
    }

    @Test
    void shouldIgnoreAKickForAQueueThatIsNotEnabled() {
        fixture.run();
        fixture.device.take();
        lifecycle.kick(1);
        assertEquals(List.of(), fixture.device.take());
    }

    // DEVICE_NEEDS_RESET

    @Test
    void shouldNeedAResetWhenAQueueFailsAndSayWhyOnce() {
        DriverRing ring = fixture.run();
        ring.offer(8);
        lifecycle.kick(0);
        assertEquals(RUNNING | DeviceStatus.NEEDS_RESET, lifecycle.status());
        assertEquals("queue 0: " + QueueFailure.HEAD_OUT_OF_RANGE, lifecycle.needsResetReason());
        assertEquals(List.of("config"), fixture.signals.take());
        lifecycle.kick(0);
        fixture.device.active().needsReset("something else");
        assertEquals(List.of(), fixture.signals.take(), "the driver is told once");
        assertEquals("queue 0: " + QueueFailure.HEAD_OUT_OF_RANGE, lifecycle.needsResetReason());
    }

    @Test
    void shouldGoOnWithTheOtherQueuesWhenOneFailed() {
        DriverRing broken = fixture.run();
        DriverRing whole = fixture.ring(1, 8);
        fixture.enable(1, whole);
        broken.offer(8);
        lifecycle.kick(0);
        offer(whole, 3);
        lifecycle.kick(1);
        assertEquals(1, whole.usedIndex());
    }

    @Test
    void shouldKeepNeedsResetWhateverTheDriverWrites() {
        fixture.run();
        fixture.device.active().needsReset("broken");
        lifecycle.writeStatus(RUNNING);
        lifecycle.writeStatus(RUNNING | DeviceStatus.FAILED);
        assertEquals(RUNNING | DeviceStatus.FAILED | DeviceStatus.NEEDS_RESET, lifecycle.status());
        lifecycle.writeStatus(0);
        assertEquals(0, lifecycle.status());
        assertEquals("", lifecycle.needsResetReason());
        fixture.run();
        fixture.signals.take();
        fixture.device.active().needsReset("broken again");
        assertEquals("broken again", lifecycle.needsResetReason());
        assertEquals(List.of("config"), fixture.signals.take(), "once for each life");
    }

    @Test
    void shouldForgetAFailureThatIsResetAway() {
        DriverRing ring = fixture.run(FeatureBit.RING_RESET);
        ring.offer(8);
        lifecycle.kick(0);
        lifecycle.resetQueue(0);
        fixture.device.active().queueFailed(0);
        assertFalse(lifecycle.queueEnabled(0));
        assertEquals(1, fixture.signals.take().size());
    }
}
