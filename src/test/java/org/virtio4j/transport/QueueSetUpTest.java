// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.virtio4j.fixture.RecordingDevice.SIZE_0;
import static org.virtio4j.fixture.RecordingDevice.SIZE_1;
import static org.virtio4j.transport.Guest.NEGOTIATED;
import static org.virtio4j.transport.Guest.RUNNING;
import static org.virtio4j.transport.Guest.buffer;
import static org.virtio4j.transport.Guest.offer;

import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.device.transport.QueueArea;
import org.virtio4j.fixture.DriverRing;
import org.virtio4j.fixture.RecordingDevice;
import org.virtio4j.queue.DeviceQueue;
import org.virtio4j.wire.DeviceStatus;
import org.virtio4j.wire.FeatureBit;

/** Section 2.6, 4.1.4.3 and 4.2.2: how a driver describes its queues, and which of what it says counts. */
class QueueSetUpTest extends TransportTests {

    private final RecordingDevice device = guest.device;
    private final Port port = guest.port;

    QueueSetUpTest(TransportKind kind) {
        super(kind);
    }

    @Test
    @DisplayName("4.1.4.3.1, 4.2.2: a queue begins with its largest size and no address")
    void shouldBeginWithTheLargestSizeAndNoAddress() {
        assertEquals(SIZE_0, guest.driver.queueSizeMax(0));
        assertEquals(SIZE_1, guest.driver.queueSizeMax(1));
        guest.assertSettings(0, SIZE_0, 0, 0, 0);
        guest.assertSettings(1, SIZE_1, 0, 0, 0);
        assertFalse(guest.driver.queueReady(0));
        assertEquals(SIZE_0, sizeInUse(0));
        guest.writeStatus(0);
        assertEquals(SIZE_1, sizeInUse(1));
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 3, 63, 65, 128, 0xffff, 0x8000, 0x1_0040, 0x8000_0000L, 0xffff_ffffL})
    @DisplayName("2.7, 4.2.2.2: a size that no ring can have is not taken; where the driver cannot read that, the queue"
            + " stays disabled")
    void shouldTakeNoSizeThatNoRingCanHave(long size) {
        assumeFits(Register.QUEUE_SIZE, size);
        port.write(0, Register.QUEUE_SIZE, 16);
        port.write(0, Register.QUEUE_SIZE, size);
        guest.assertSettings(0, 16, 0, 0, 0);
        if (kind.isPci()) {
            assertEquals(16, sizeInUse(0));
            return;
        }
        port.enableQueue(0);
        assertFalse(guest.driver.queueReady(0), "a ring of another size than the driver laid out");
        assertTrue(guest.port.needsResetReason().contains("size " + size), guest.port.needsResetReason());
        port.write(0, Register.STATUS, 0);
        assertEquals("", guest.port.needsResetReason());
        assertEquals(64, sizeInUse(0));
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 4, 8, 16, 32, 64})
    @DisplayName("2.7: a power of two up to the largest is taken, for the selected queue")
    void shouldTakeAPowerOfTwo(long size) {
        port.write(0, Register.QUEUE_SIZE, size);
        guest.assertSettings(0, (int) size, 0, 0, 0);
        guest.assertSettings(1, SIZE_1, 0, 0, 0);
        assertEquals(size, sizeInUse(0));
        guest.writeStatus(0);
        assertEquals(SIZE_0, guest.driver.queueSizeMax(0));
        port.write(0, Register.QUEUE_SIZE, size);
        assertEquals(SIZE_1, sizeInUse(1), "of the selected queue only");
    }

    @Test
    @DisplayName("4.1.4.3, 4.2.2: each queue has a size of its own")
    void shouldTakeASizeForEachQueue() {
        port.write(0, Register.QUEUE_SIZE, 32);
        port.write(1, Register.QUEUE_SIZE, 2);
        guest.assertSettings(0, 32, 0, 0, 0);
        guest.assertSettings(1, 2, 0, 0, 0);
        assertEquals(2, sizeInUse(1));
        guest.writeStatus(0);
        port.write(1, Register.QUEUE_SIZE, 2);
        port.write(0, Register.QUEUE_SIZE, 32);
        assertEquals(32, sizeInUse(0));
    }

    @ParameterizedTest
    @EnumSource(QueueArea.class)
    @DisplayName("4.1.4.3: the halves of an address are written and read each by itself")
    void shouldTakeAddressesInHalves(QueueArea area) {
        assumeShown(Register.low(area));
        port.writeAddress(0, area, 0x0123_4567_89ab_cdefL);
        assertEquals(0x0123_4567_89ab_cdefL, port.readAddress(0, area));
        port.write(0, Register.low(area), 0xffff_fff0L);
        assertEquals(0x0123_4567_ffff_fff0L, port.readAddress(0, area));
        port.write(0, Register.high(area), 0x8000_0001L);
        assertEquals(0x8000_0001_ffff_fff0L, port.readAddress(0, area));
        for (QueueArea other : QueueArea.values()) {
            assertEquals(other == area ? 0x8000_0001_ffff_fff0L : 0, port.readAddress(0, other));
        }
        assertEquals(0, port.readAddress(1, area));
    }

    @Test
    @DisplayName("4.1.4.3, 4.2.2: the halves of an address may be written in any order, and again")
    void shouldUseTheLastOfEachHalf() {
        guest.negotiate();
        DriverRing ring = guest.ring(0, 8);
        for (QueueArea area : QueueArea.values()) {
            port.write(0, Register.high(area), 0x8000_0001L);
            port.write(0, Register.low(area), 0xffff_fff0L);
        }
        port.write(0, Register.QUEUE_SIZE, 8);
        for (QueueArea area : QueueArea.values()) {
            long address = addressOf(ring, area);
            port.write(0, Register.low(area), address & 0xffff_ffffL);
            port.write(0, Register.high(area), address >>> 32);
        }
        port.enableQueue(0);
        guest.writeStatus(RUNNING);
        offer(ring, 0);
        guest.kick(0);
        assertEquals(1, ring.usedIndex());
    }

    @ParameterizedTest
    @ValueSource(longs = {2, 3, 0xffff, 0x1_0000, 0x7fff_ffffL, 0x8000_0000L, 0xffff_ffffL})
    @DisplayName("4.1.4.3.1, 4.2.2: a queue that does not exist shows 0, and nothing can be done to it")
    void shouldShowNothingOfAQueueThatDoesNotExist(long queue) {
        assumeFits(Register.QUEUE_SELECT, queue);
        guest.run(FeatureBit.RING_RESET);
        device.take();
        port.write(queue, Register.QUEUE_SIZE, 4);
        for (QueueArea area : QueueArea.values()) {
            port.writeAddress(queue, area, 16);
        }
        port.enableQueue(queue);
        port.notifyQueue(queue);
        port.write(queue, Register.QUEUE_RESET, 1);
        assertEquals(0, port.read(queue, Register.QUEUE_RESET));
        port.write(queue, Register.QUEUE_ENABLE, 0);
        assertEquals(0, guest.driver.queueSizeMax((int) queue));
        assertEquals(0, port.read(queue, Register.QUEUE_ENABLE));
        guest.assertSettings((int) queue, 0, 0, 0, 0);
        assertEquals(List.of(), device.take());
        assertEquals(RUNNING, guest.status());
        assertTrue(guest.driver.queueReady(0));
    }

    @Test
    @DisplayName("4.1.4.3.2, 4.2.2.2: an enabled queue keeps its settings")
    void shouldKeepTheSettingsOfAnEnabledQueue() {
        DriverRing ring = guest.run();
        port.write(0, Register.QUEUE_SIZE, 32);
        for (QueueArea area : QueueArea.values()) {
            port.writeAddress(0, area, 0x5000);
            port.write(0, Register.low(area), 0x6000);
            port.write(0, Register.high(area), 1);
        }
        guest.assertSettings(0, 8, ring.descriptors(), ring.available(), ring.used());
        DeviceQueue before = device.active().queue(0);
        port.enableQueue(0);
        assertEquals(before, device.active().queue(0), "enabling again changes nothing");
        offer(ring, 0);
        guest.kick(0);
        assertEquals(1, ring.usedIndex());
    }

    @Test
    @DisplayName("4.1.4.3.2, 4.2.2.2: the settings of the moment a queue was enabled count")
    void shouldUseTheSettingsOfTheMomentItWasEnabled() {
        guest.negotiate();
        DriverRing first = guest.ring(0, 4);
        DriverRing second = guest.ring(1, 4);
        guest.enable(0, first);
        guest.place(0, second);
        guest.writeStatus(RUNNING);
        offer(first, 0);
        guest.kick(0);
        assertEquals(1, first.usedIndex());
        assertEquals(4, Objects.requireNonNull(device.active().queue(0)).size());
    }

    @Test
    @DisplayName("4.1.4.3.2, 4.2.2.2: a queue is enabled by itself, and by 1 alone")
    void shouldEnableOneQueueByWritingOne() {
        guest.negotiate();
        for (long value : new long[] {2, 3, 0x8000, 0xffff}) {
            port.write(1, Register.QUEUE_ENABLE, value);
            assertEquals(0, port.read(1, Register.QUEUE_ENABLE));
        }
        port.enableQueue(1);
        assertEquals(1, port.read(1, Register.QUEUE_ENABLE));
        assertEquals(0, port.read(0, Register.QUEUE_ENABLE));
        port.write(1, Register.QUEUE_ENABLE, 2);
        assertEquals(1, port.read(1, Register.QUEUE_ENABLE));
    }

    @Test
    @DisplayName("2.6: there is no queue before it is enabled, and it may be enabled after DRIVER_OK")
    void shouldHaveNoQueueBeforeItIsEnabled() {
        DriverRing ring = guest.run();
        assertNull(device.active().queue(1));
        DriverRing late = guest.ring(1, 8);
        guest.place(1, late);
        guest.kick(1);
        guest.enable(1, late);
        offer(late, 0);
        guest.kick(1);
        assertEquals(1, late.usedIndex(), "a queue may come after DRIVER_OK");
        assertEquals(0, ring.usedIndex());
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 4, 8, 15, -1, -15})
    @DisplayName("2.7: a descriptor area that is misaligned is never used, and the device needs a reset")
    void shouldNeedAResetWhenTheDescriptorAreaIsMisaligned(long shift) {
        assertBroken(QueueArea.DESCRIPTOR, buffer(0) + shift);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 3, -1})
    @DisplayName("2.7: a driver area that is misaligned is never used, and the device needs a reset")
    void shouldNeedAResetWhenTheDriverAreaIsMisaligned(long shift) {
        assertBroken(QueueArea.DRIVER, buffer(0) + shift);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, -1, -2})
    @DisplayName("2.7: a device area that is misaligned is never used, and the device needs a reset")
    void shouldNeedAResetWhenTheDeviceAreaIsMisaligned(long shift) {
        assertBroken(QueueArea.DEVICE, buffer(0) + shift);
    }

    @Test
    @DisplayName("2.7: an area that runs over the end of the address space is never used")
    void shouldNeedAResetWhenAnAreaRunsOverTheEndOfTheAddressSpace() {
        // Of a ring of eight: 128 bytes of descriptors, 22 and 70 of the rings.
        assertBroken(QueueArea.DESCRIPTOR, -112);
        assertBroken(QueueArea.DRIVER, -20);
        assertBroken(QueueArea.DEVICE, -68);
        assertBroken(QueueArea.DEVICE, -4);
    }

    @Test
    @DisplayName("2.7: an area may end with the address space")
    void shouldAcceptAnAreaThatEndsWithTheAddressSpace() {
        guest.negotiate();
        guest.memory.addAnonymous(-4096, 4096);
        DriverRing ring = new DriverRing(guest.ram, 8, -128, -512, -1024);
        guest.enable(0, ring);
        guest.writeStatus(RUNNING);
        assertTrue(guest.driver.queueReady(0));
        offer(ring, 0);
        guest.kick(0);
        assertEquals(1, ring.usedIndex());
        assertEquals(RUNNING, guest.status());
    }

    @Test
    @DisplayName("2.1.2: the driver is told once when a misplaced queue is enabled while it runs")
    void shouldTellTheDriverWhenAMisplacedQueueIsEnabledWhileItRuns() {
        guest.run();
        guest.dropInterrupts();
        port.writeAddress(1, QueueArea.DRIVER, 1);
        port.enableQueue(1);
        assertEquals(RUNNING | DeviceStatus.NEEDS_RESET, guest.status());
        guest.assertInterrupts(Port.CONFIG);
        assertNull(device.active().queue(1));
        assertEquals("queue 1: enabled with misaligned or impossible addresses", port.needsResetReason());
        port.enableQueue(1);
        guest.assertInterrupts(0);
    }

    @Test
    @DisplayName("2.1.2: a ring that is not in memory is found out when the device looks at it")
    void shouldNeedAResetWhenAnEnabledRingIsNotInMemory() {
        guest.negotiate();
        DriverRing ring = guest.ring(0, 8);
        guest.driver.enableQueue(0, 8, ring.descriptors(), ring.available(), 0x7000_0000_0000L);
        guest.writeStatus(RUNNING);
        assertEquals(RUNNING | DeviceStatus.NEEDS_RESET, guest.status(), "found out when the device looks at it");
        assertEquals("queue 0: RING_UNREACHABLE", port.needsResetReason());
        guest.assertInterrupts(Port.CONFIG);
    }

    private void assertBroken(QueueArea area, long address) {
        guest.writeStatus(0);
        guest.negotiate();
        guest.dropInterrupts();
        port.write(0, Register.QUEUE_SIZE, 8);
        guest.place(0, guest.ring(0, 8));
        port.writeAddress(0, area, address);
        port.enableQueue(0);
        assertFalse(guest.driver.queueReady(0));
        assertEquals(NEGOTIATED | DeviceStatus.NEEDS_RESET, guest.status());
        guest.assertInterrupts(0);
        guest.kick(0);
        guest.writeStatus(0);
        assertEquals(0, guest.status());
        assertEquals("", port.needsResetReason());
    }

    /** Enables a queue with the size it has, and asks the device how many entries it sees. */
    private int sizeInUse(int queue) {
        guest.negotiate();
        guest.place(queue, guest.ring(queue, 64));
        port.enableQueue(queue);
        guest.writeStatus(RUNNING);
        return Objects.requireNonNull(device.active().queue(queue)).size();
    }

    private static long addressOf(DriverRing ring, QueueArea area) {
        return switch (area) {
            case DESCRIPTOR -> ring.descriptors();
            case DRIVER -> ring.available();
            case DEVICE -> ring.used();
        };
    }
}
