// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.virtio4j.fixture.RecordingDevice.SIZE_0;
import static org.virtio4j.fixture.RecordingDevice.SIZE_1;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.device.Features;
import org.virtio4j.device.ResetKind;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.fixture.DriverRing;
import org.virtio4j.fixture.GuestBytes;
import org.virtio4j.fixture.Parked;
import org.virtio4j.fixture.RecordingDevice;
import org.virtio4j.fixture.Seeds;
import org.virtio4j.queue.SplitQueue;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.vmm.ReaderCount;
import org.virtio4j.wire.DeviceStatus;
import org.virtio4j.wire.FeatureBit;

/**
 * What can be seen at the life cycle alone, because some transport has no register for it, or a narrower one. All the
 * rest of it is tested in {@code org.virtio4j.transport}.
 */
class DeviceLifecycleTest {

    private static final int FOUND = 3;
    private static final int NEGOTIATED = 11;
    private static final int RUNNING = 15;
    private static final long RING = 0x10_0000;
    private static final long BUFFER = 0x11_0000;

    private final GuestMemory memory = GuestMemory.anonymous(RING, 0x2_0000);
    private final RecordingDevice device = new RecordingDevice();
    private final Signals signals = new Signals();
    private final DeviceLifecycle lifecycle = new DeviceLifecycle(device, DmaSpace.identity(memory), signals,
            Long.MAX_VALUE);

    @AfterEach
    void closeMemory() {
        memory.close();
    }

    @Test
    void shouldCountItsQueues() {
        assertEquals(2, lifecycle.queues().count());
    }

    @ParameterizedTest
    @ValueSource(longs = {4, 5, 0x8000_0000L, 0xffff_ffffL, -1, Long.MIN_VALUE, 1L << 32})
    void shouldShowNoFeaturesBeyondTheLastWord(long select) {
        lifecycle.features().accept(select, -1);
        assertEquals(0, lifecycle.features().offered(select));
        assertEquals(0, lifecycle.features().accepted(select));
        for (long word = 0; word < 4; word++) {
            assertEquals(0, lifecycle.features().accepted(word), "in word " + word);
        }
    }

    @Test
    void shouldReadBackTheBitsThatAreOffered() {
        for (long select = 0; select < 4; select++) {
            lifecycle.features().accept(select, -1);
            assertEquals(lifecycle.features().offered(select), lifecycle.features().accepted(select));
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 3, 63, 65, 128, 0x1_0000_0040L, -1, Long.MIN_VALUE, 0xffff_ffffL})
    void shouldIgnoreASizeThatNoRingCanHave(long size) {
        lifecycle.queues().writeSize(0, 16, true);
        lifecycle.queues().writeSize(0, size, true);
        assertEquals(16, lifecycle.queues().size(0));
        assertEquals(SIZE_0, lifecycle.queues().sizeMax(0), "stays, whatever the size");
    }

    @ParameterizedTest
    @EnumSource(QueueArea.class)
    void shouldTakeAddressesWholeAndInHalves(QueueArea area) {
        lifecycle.queues().writeAddress(0, area, 0x0123_4567_89ab_cdefL);
        assertEquals(0x0123_4567_89ab_cdefL, lifecycle.queues().address(0, area));
        lifecycle.queues().writeAddressLow(0, area, 0xffff_fff0);
        assertEquals(0x0123_4567_ffff_fff0L, lifecycle.queues().address(0, area));
        lifecycle.queues().writeAddressHigh(0, area, 0x8000_0001);
        assertEquals(0x8000_0001_ffff_fff0L, lifecycle.queues().address(0, area));
        for (QueueArea other : QueueArea.values()) {
            assertEquals(other == area ? 0x8000_0001_ffff_fff0L : 0, lifecycle.queues().address(0, other));
        }
        assertEquals(0, lifecycle.queues().address(1, area));
    }

    @ParameterizedTest
    @ValueSource(longs = {2, 0xffff, 0x8000_0000L, 0xffff_ffffL, 1L << 32, -1, Long.MIN_VALUE, Long.MAX_VALUE})
    void shouldShowNothingOfAQueueThatDoesNotExist(long queue) {
        run(FeatureBit.RING_RESET);
        device.take();
        lifecycle.queues().writeSize(queue, 4, true);
        for (QueueArea area : QueueArea.values()) {
            lifecycle.queues().writeAddress(queue, area, 16);
            lifecycle.queues().writeAddressLow(queue, area, 16);
            lifecycle.queues().writeAddressHigh(queue, area, 16);
            assertEquals(0, lifecycle.queues().address(queue, area));
        }
        lifecycle.queues().enable(queue);
        lifecycle.kicks().kick(queue);
        lifecycle.queues().reset(queue);
        lifecycle.queues().disable(queue);
        assertEquals(0, lifecycle.queues().sizeMax(queue));
        assertEquals(0, lifecycle.queues().size(queue));
        assertFalse(lifecycle.queues().isEnabled(queue));
        assertEquals(List.of(), device.take());
        assertEquals(RUNNING, lifecycle.status());
        assertTrue(lifecycle.queues().isEnabled(0));
    }

    @Test
    void shouldKeepItsSettingsWhenAQueueIsDisabledAndClearThemWhenItIsReset() {
        DriverRing ring = run(FeatureBit.RING_RESET);
        lifecycle.queues().disable(0);
        assertEquals(8, lifecycle.queues().size(0));
        assertEquals(ring.descriptors(), lifecycle.queues().address(0, QueueArea.DESCRIPTOR));
        assertEquals(ring.available(), lifecycle.queues().address(0, QueueArea.DRIVER));
        assertEquals(ring.used(), lifecycle.queues().address(0, QueueArea.DEVICE));
        lifecycle.queues().reset(0);
        assertAtStart();
    }

    @ParameterizedTest
    @EnumSource(ResetKind.class)
    void shouldClearAllOfTheDriver(ResetKind kind) {
        run(RecordingDevice.BIT_OF_TYPE);
        signals.take();
        lifecycle.reset(kind);
        assertEquals(List.of("reset"), signals.take());
        assertAtStart();
        for (int word = 0; word < 4; word++) {
            assertEquals(0, lifecycle.features().accepted(word));
        }
    }

    @ParameterizedTest
    @EnumSource(ResetKind.class)
    void shouldTellTheTransportOfAResetWhenNoDriverWasThere(ResetKind kind) {
        lifecycle.reset(kind);
        assertEquals(List.of("reset"), signals.take());
    }

    @Test
    void shouldSignalEachEventOnceAndForItsQueue() {
        DriverRing ring = run();
        assertEquals(List.of(), signals.take());
        ring.descriptor(2, DriverRing.Buffer.writable(BUFFER, 8));
        ring.offer(2);
        lifecycle.kicks().kick(0);
        lifecycle.kicks().kick(0);
        assertEquals(List.of("queue 0"), signals.take());
        device.active().configChanged();
        assertEquals(List.of("config"), signals.take());
        ring.offer(8);
        lifecycle.kicks().kick(0);
        lifecycle.kicks().kick(0);
        device.active().needsReset("something else");
        assertEquals(List.of("config"), signals.take(), "the driver is told once");
        lifecycle.writeStatus(0);
        assertEquals(List.of("reset"), signals.take(), "and nothing after it");
    }

    /** Each call is whole, whoever calls beside; on a transport the selector of another thread can come between. */
    @Test
    void shouldStayWholeWhenSeveralThreadsCall() {
        long seed = Seeds.next();
        Thread[] threads = new Thread[3];
        Throwable[] thrown = new Throwable[threads.length];
        for (int i = 0; i < threads.length; i++) {
            int number = i;
            Random random = new Random(seed + i);
            threads[i] = new Thread(() -> callAnything(random), "caller " + i);
            threads[i].setUncaughtExceptionHandler((thread, problem) -> thrown[number] = problem);
            threads[i].start();
        }
        for (int i = 0; i < threads.length; i++) {
            Parked.finish(threads[i]);
            int number = i;
            assertTrue(thrown[i] == null, () -> String.valueOf(thrown[number]));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void shouldLeaveNoWayToMemoryOpenWhenARingCannotBeMade(int broken) {
        int idle = ReaderCount.of(memory.gracePeriods());
        int[] made = new int[1];
        DeviceLifecycle poor = new DeviceLifecycle(device, DmaSpace.identity(memory), signals, Long.MAX_VALUE,
                (settings, dma) -> {
                    if (made[0]++ == broken) {
                        throw new OutOfMemoryError("no ring");
                    }
                    return new SplitQueue(settings, dma);
                });
        poor.writeStatus(FOUND);
        poor.features().accept(1, 1);
        poor.writeStatus(NEGOTIATED);
        for (int queue = 0; queue < 2; queue++) {
            poor.queues().writeAddress(queue, QueueArea.DESCRIPTOR, RING);
            poor.queues().writeAddress(queue, QueueArea.DRIVER, RING + 0x1000);
            poor.queues().writeAddress(queue, QueueArea.DEVICE, RING + 0x2000);
            poor.queues().enable(queue);
        }
        assertThrows(OutOfMemoryError.class, () -> poor.writeStatus(RUNNING));
        assertEquals(idle, ReaderCount.of(memory.gracePeriods()));
        assertEquals(RUNNING | DeviceStatus.NEEDS_RESET, poor.status());
        assertEquals(List.of(), device.take(), "the device never ran");
    }

    private void callAnything(Random random) {
        for (int step = 0; step < 10_000; step++) {
            long queue = random.nextInt(8) == 0 ? random.nextLong() : random.nextInt(3);
            switch (random.nextInt(8)) {
                case 0 -> lifecycle.writeStatus(random.nextBoolean() ? RUNNING : random.nextInt(256));
                case 1 -> lifecycle.features().accept(random.nextInt(5), random.nextBoolean() ? 1 : random.nextInt());
                case 2 -> lifecycle.queues().writeSize(queue, 1L << random.nextInt(64), true);
                case 3 -> lifecycle.queues().writeAddress(queue, QueueArea.DEVICE, RING + 4L * random.nextInt(64));
                case 4 -> lifecycle.queues().enable(queue);
                case 5 -> lifecycle.queues().disable(queue);
                case 6 -> lifecycle.kicks().kick(queue);
                default -> look(queue);
            }
        }
    }

    private void look(long queue) {
        int size = lifecycle.queues().size(queue);
        assertTrue(size >= 0 && size <= lifecycle.queues().sizeMax(queue) && Integer.bitCount(size) <= 1);
        assertEquals(0, lifecycle.status() & ~0xcf);
        lifecycle.queues().address(queue, QueueArea.DEVICE);
    }

    private void assertAtStart() {
        assertFalse(lifecycle.queues().isEnabled(0));
        assertEquals(SIZE_0, lifecycle.queues().size(0));
        assertEquals(SIZE_1, lifecycle.queues().size(1));
        for (QueueArea area : QueueArea.values()) {
            assertEquals(0, lifecycle.queues().address(0, area));
        }
    }

    private DriverRing run(int... bits) {
        DriverRing ring = new DriverRing(new GuestBytes(memory, null), 8, RING, RING + 0x1000, RING + 0x2000);
        Features wanted = Features.of(bits).with(FeatureBit.VERSION_1);
        lifecycle.writeStatus(FOUND);
        for (int word = 0; word < Features.WORDS; word++) {
            lifecycle.features().accept(word, wanted.word(word));
        }
        lifecycle.writeStatus(NEGOTIATED);
        lifecycle.queues().writeSize(0, 8, true);
        lifecycle.queues().writeAddress(0, QueueArea.DESCRIPTOR, ring.descriptors());
        lifecycle.queues().writeAddress(0, QueueArea.DRIVER, ring.available());
        lifecycle.queues().writeAddress(0, QueueArea.DEVICE, ring.used());
        lifecycle.queues().enable(0);
        lifecycle.writeStatus(RUNNING);
        assertEquals(RUNNING, lifecycle.status());
        return ring;
    }
}
