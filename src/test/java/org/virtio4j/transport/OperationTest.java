// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.virtio4j.transport.Guest.RUNNING;
import static org.virtio4j.transport.Guest.buffer;
import static org.virtio4j.transport.Guest.offer;

import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.fixture.DriverRing;
import org.virtio4j.fixture.RecordingDevice;
import org.virtio4j.queue.QueueFailure;
import org.virtio4j.queue.DeviceQueue;
import org.virtio4j.wire.AvailableRing;
import org.virtio4j.wire.DeviceStatus;
import org.virtio4j.wire.FeatureBit;

/** Sections 2.1.2 and 2.3: kicks, notifications, and a device that cannot go on. */
class OperationTest extends TransportTests {

    private final RecordingDevice device = guest.device;

    OperationTest(TransportKind kind) {
        super(kind);
    }

    @Test
    @DisplayName("2.3: a kick is served before it returns, and the driver hears of it once")
    void shouldServeAKickBeforeItReturns() {
        DriverRing ring = guest.run();
        device.take();
        offer(ring, 2);
        guest.kick(0);
        assertEquals(List.of("kicked 0"), device.take());
        guest.assertInterrupts(Port.USED);
        assertEquals(1, ring.usedIndex());
        assertEquals(2, ring.usedId(0));
        assertEquals(8, ring.usedLength(0));
        assertEquals(0xab, ring.ram().u8(buffer(2) + 7));
    }

    @Test
    @DisplayName("2.3: a kick for nothing does nothing")
    void shouldTolerateAKickForNothing() {
        DriverRing ring = guest.run();
        for (int i = 0; i < 5; i++) {
            guest.kick(0);
        }
        assertEquals(0, ring.usedIndex());
        guest.assertInterrupts(0);
        assertEquals(RUNNING, guest.status());
    }

    @Test
    @DisplayName("2.7.7: a driver that wants no notification gets none")
    void shouldNotNotifyADriverThatDoesNotWantIt() {
        DriverRing ring = guest.run();
        ring.availableFlags(AvailableRing.FLAG_NO_INTERRUPT);
        offer(ring, 0);
        guest.kick(0);
        assertEquals(1, ring.usedIndex());
        guest.assertInterrupts(0);
    }

    @Test
    @DisplayName("2.7.5.3, 2.7.7.2: rings use the features that were negotiated")
    void shouldUseTheRingFeaturesThatWereNegotiated() {
        DriverRing ring = guest.run(FeatureBit.EVENT_IDX, FeatureBit.INDIRECT_DESC);
        ring.availableFlags(AvailableRing.FLAG_NO_INTERRUPT);
        ring.usedEvent(0);
        ring.descriptor(0, ring.table(buffer(0), DriverRing.Buffer.writable(buffer(1), 8)));
        ring.offer(0);
        guest.kick(0);
        guest.assertInterrupts(Port.USED);
        assertEquals(8, ring.usedLength(0));
    }

    @Test
    @DisplayName("2.1.2, 3.1.1: no buffer is used before DRIVER_OK, and those of before are found then")
    void shouldIgnoreKicksBeforeDriverOkAndLookThen() {
        guest.negotiate();
        DriverRing ring = guest.ring(0, 8);
        guest.enable(0, ring);
        offer(ring, 0);
        offer(ring, 1);
        guest.kick(0);
        assertEquals(List.of(), device.take());
        assertEquals(0, ring.usedIndex(), "no buffer is used before DRIVER_OK");
        guest.assertInterrupts(0);

        guest.writeStatus(RUNNING);
        assertEquals(2, ring.usedIndex(), "what came before is found without another kick");
        assertEquals(List.of("activate", "kicked 0"), device.take(), "and only for queues that are enabled");
        guest.assertInterrupts(Port.USED);
    }

    @Test
    @DisplayName("2.3: a kick reaches the queue it names")
    void shouldKickTheQueueThatIsNamed() {
        guest.run();
        guest.enable(1, guest.ring(1, 8));
        device.take();
        guest.kick(1);
        assertEquals(List.of("kicked 1"), device.take());
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 0xffff, 0x1_0000, 0x1_0001, 0x7fff_ffffL, 0x8000_0000L, 0xffff_ffffL})
    @DisplayName("2.3: a kick for a queue that is not enabled or does not exist reaches nobody")
    void shouldIgnoreAKickForAQueueThatIsNotEnabled(long queue) {
        guest.run();
        device.take();
        guest.port.notifyQueue(queue);
        assertEquals(List.of(), device.take());
        assertEquals(RUNNING, guest.status());
    }

    // DEVICE_NEEDS_RESET

    @Test
    @DisplayName("2.1.2: when a queue fails, the device needs a reset, and the driver is told once")
    void shouldNeedAResetWhenAQueueFailsAndSayWhyOnce() {
        DriverRing ring = guest.run();
        ring.offer(8);
        guest.kick(0);
        assertEquals(RUNNING | DeviceStatus.NEEDS_RESET, guest.status());
        assertEquals("queue 0: " + QueueFailure.HEAD_OUT_OF_RANGE, guest.port.needsResetReason());
        guest.assertInterrupts(Port.CONFIG);
        guest.kick(0);
        device.active().needsReset("something else");
        guest.assertInterrupts(0);
        assertEquals("queue 0: " + QueueFailure.HEAD_OUT_OF_RANGE, guest.port.needsResetReason());
    }

    @Test
    @DisplayName("2.1.2: the other queues go on when one has failed")
    void shouldGoOnWithTheOtherQueuesWhenOneFailed() {
        DriverRing broken = guest.run();
        DriverRing whole = guest.ring(1, 8);
        guest.enable(1, whole);
        broken.offer(8);
        guest.kick(0);
        offer(whole, 3);
        guest.kick(1);
        assertEquals(1, whole.usedIndex());
    }

    @Test
    @DisplayName("2.1.1, 2.1.2: NEEDS_RESET stays whatever the driver writes, until a reset; then it may come again")
    void shouldKeepNeedsResetWhateverTheDriverWrites() {
        guest.run();
        device.active().needsReset("broken");
        guest.writeStatus(RUNNING);
        guest.writeStatus(RUNNING | DeviceStatus.FAILED);
        assertEquals(RUNNING | DeviceStatus.FAILED | DeviceStatus.NEEDS_RESET, guest.status());
        guest.writeStatus(0);
        assertEquals(0, guest.status());
        assertEquals("", guest.port.needsResetReason());
        guest.run();
        guest.dropInterrupts();
        device.active().needsReset("broken again");
        assertEquals("broken again", guest.port.needsResetReason());
        guest.assertInterrupts(Port.CONFIG);
    }

    @Test
    @DisplayName("2.6.1: a failure that is reset away is not told again")
    void shouldClearAFailureWhenItIsReset() {
        DriverRing ring = guest.run(FeatureBit.RING_RESET);
        ring.offer(8);
        guest.kick(0);
        DeviceQueue failed = Objects.requireNonNull(device.active().queue(0));
        assertTrue(guest.driver.resetQueue(0));
        device.active().queueFailed(0, failed);
        assertFalse(guest.driver.queueReady(0));
        guest.assertInterrupts(Port.CONFIG);
    }
}
