// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.device.DeviceContext;
import org.virtio4j.device.DeviceListener;
import org.virtio4j.device.Features;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.fixture.CountedReaders;
import org.virtio4j.fixture.SilentDevice;
import org.virtio4j.queue.SplitQueue;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.wire.FeatureBit;

/** A queue is started, stopped and reset as a whole, whatever an embedder throws and whoever comes beside. */
@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class StoppedHalfWayTest {

    private static final int NEEDS_RESET = 0x40;
    private static final int RUNNING = 15;
    private static final long RING = 0x1000;

    private final GuestMemory memory = GuestMemory.anonymous(0, 1 << 20);
    private final RuntimeException thrown = new IllegalStateException("on purpose");
    private final Hooked device = new Hooked();
    private final Signals signals = new Signals();
    private final CountedReaders translator = new CountedReaders();

    @AfterEach
    void closeMemory() {
        memory.close();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("2.6.1: a queue whose device throws when it is told is reset all the same")
    void shouldEndAQueueWhenTheDeviceThrows(boolean byDisabling) {
        DeviceLifecycle lifecycle = running(Long.MAX_VALUE);
        device.whenStopped = this::fail;
        assertThrown(() -> end(lifecycle, byDisabling));
        assertFalse(lifecycle.queues().isResetting(0));
        assertFalse(lifecycle.queues().isEnabled(0));
        assertEquals(byDisabling ? RING : 0, lifecycle.queues().address(0, QueueArea.DESCRIPTOR));
        device.whenStopped = () -> { };
        setUp(lifecycle);
        assertTrue(lifecycle.queues().isEnabled(0), "it can be used again");
        end(lifecycle, byDisabling);
        assertFalse(lifecycle.queues().isEnabled(0));
    }

    @Test
    @DisplayName("2.6.1: a reset of a queue is not lost when the queue is disabled meanwhile")
    void shouldResetAQueueThatIsDisabledMeanwhile() {
        DeviceLifecycle lifecycle = running(0);
        device.idle = false;
        assertTrue(lifecycle.queues().reset(0));
        assertTrue(lifecycle.queues().isResetting(0));
        device.whenStopped = () -> device.idle = true;
        lifecycle.queues().disable(0);
        assertFalse(lifecycle.queues().isResetting(0));
        assertFalse(lifecycle.queues().isEnabled(0));
        assertEquals(0, lifecycle.queues().address(0, QueueArea.DESCRIPTOR), "all its state is back to the start");
    }

    @Test
    @DisplayName("2.1.2: a queue that the device cannot start stays disabled, and the driver is told")
    void shouldNeedAResetWhenTheDeviceThrowsAtAQueueThatStarts() {
        DeviceLifecycle lifecycle = running(Long.MAX_VALUE);
        assertTrue(lifecycle.queues().reset(0));
        signals.take();
        device.whenStarted = this::fail;
        assertThrown(() -> setUp(lifecycle));
        assertNotStarted(lifecycle);
    }

    @Test
    @DisplayName("2.1.2: nor does a queue start whose ring cannot be opened, and nothing of it stays open")
    void shouldNeedAResetWhenTheRingOfAQueueCannotBeOpened() {
        DeviceLifecycle lifecycle = running(Long.MAX_VALUE);
        assertTrue(lifecycle.queues().reset(0));
        signals.take();
        assertEquals(0, translator.open());
        device.whenOpened = this::fail;
        assertThrown(() -> setUp(lifecycle));
        assertNotStarted(lifecycle);
    }

    @Test
    @DisplayName("3.1.1: nor is anything open when a ring cannot be opened at DRIVER_OK")
    void shouldLeaveNothingOpenWhenARingCannotBeOpenedAtDriverOk() {
        DeviceLifecycle lifecycle = lifecycle(Long.MAX_VALUE);
        device.whenOpened = this::fail;
        assertThrown(() -> start(lifecycle));
        assertEquals(RUNNING | NEEDS_RESET, lifecycle.status());
        assertEquals(0, translator.open());
    }

    @Test
    @DisplayName("3.1.1: what a device throws at its start is told, also if it throws once more when it is stopped")
    void shouldTellWhyTheDeviceCouldNotStart() {
        DeviceLifecycle lifecycle = lifecycle(Long.MAX_VALUE);
        RuntimeException second = new IllegalArgumentException("once more");
        device.whenActivated = this::fail;
        device.whenAllStops = () -> {
            throw second;
        };
        assertThrown(() -> start(lifecycle));
        assertEquals(List.of(second), List.of(thrown.getSuppressed()));
        assertEquals("could not start: " + thrown, lifecycle.needsResetReason());
        assertEquals(0, translator.open());
    }

    @Test
    @DisplayName("2.4: a reset that its driver counts on is waited for, also when the listener of delays throws")
    void shouldCompleteAResetWhenTheListenerThrows() {
        DeviceLifecycle lifecycle = running(Long.MAX_VALUE);
        AtomicInteger told = new AtomicInteger();
        device.idle = false;
        lifecycle.listener(new DeviceListener() {
            @Override
            public void resetDelayed(long waitedNanos) {
                told.incrementAndGet();
                // The device is done some looks later.
                device.looks = 3;
                throw thrown;
            }
        });
        assertThrown(() -> lifecycle.writeStatus(0));
        assertFalse(lifecycle.isResetting());
        assertEquals(1, told.get());
    }

    private void assertNotStarted(DeviceLifecycle lifecycle) {
        assertFalse(lifecycle.queues().isEnabled(0));
        assertEquals(0, translator.open(), "a handle of the ring's is open");
        assertEquals(RUNNING | NEEDS_RESET, lifecycle.status());
        assertEquals("queue 0: could not start: " + thrown, lifecycle.needsResetReason());
        assertEquals(List.of("config"), signals.take());
        device.clear();
        lifecycle.writeStatus(0);
        start(lifecycle);
        assertEquals(RUNNING, lifecycle.status());
        assertTrue(lifecycle.queues().isEnabled(0));
        assertEquals(1, translator.open());
    }

    private void assertThrown(Runnable what) {
        assertSame(thrown, assertThrows(RuntimeException.class, what::run));
    }

    private void fail() {
        throw thrown;
    }

    private static void end(DeviceLifecycle lifecycle, boolean byDisabling) {
        if (byDisabling) {
            lifecycle.queues().disable(0);
        } else {
            lifecycle.queues().reset(0);
        }
    }

    private DeviceLifecycle running(long patienceNanos) {
        DeviceLifecycle lifecycle = lifecycle(patienceNanos);
        start(lifecycle);
        assertEquals(RUNNING, lifecycle.status());
        return lifecycle;
    }

    private DeviceLifecycle lifecycle(long patienceNanos) {
        return new DeviceLifecycle(device, DmaSpace.of(memory, translator), signals, patienceNanos,
                (settings, dma) -> {
                    device.whenOpened.run();
                    return new SplitQueue(settings, dma);
                });
    }

    private static void start(DeviceLifecycle lifecycle) {
        lifecycle.writeStatus(3);
        lifecycle.features().accept(1, Features.of(FeatureBit.VERSION_1, FeatureBit.ACCESS_PLATFORM,
                FeatureBit.RING_RESET).word(1));
        lifecycle.writeStatus(11);
        setUp(lifecycle);
        lifecycle.writeStatus(RUNNING);
    }

    private static void setUp(DeviceLifecycle lifecycle) {
        lifecycle.queues().writeAddress(0, QueueArea.DESCRIPTOR, RING);
        lifecycle.queues().writeAddress(0, QueueArea.DRIVER, 2 * RING);
        lifecycle.queues().writeAddress(0, QueueArea.DEVICE, 3 * RING);
        lifecycle.queues().enable(0);
    }

    /** Does what a test wants at each call. */
    private static final class Hooked extends SilentDevice {

        private Runnable whenStarted = () -> { };
        private Runnable whenStopped = () -> { };
        private Runnable whenOpened = () -> { };
        private Runnable whenActivated = () -> { };
        private Runnable whenAllStops = () -> { };
        private boolean idle = true;
        private int looks;

        void clear() {
            whenStarted = () -> { };
            whenOpened = () -> { };
        }

        @Override
        public void activate(DeviceContext context) {
            whenActivated.run();
        }

        @Override
        public void queueStarted(int queue) {
            whenStarted.run();
        }

        @Override
        public void queueStopped(int queue) {
            whenStopped.run();
        }

        @Override
        public void stop() {
            whenAllStops.run();
        }

        @Override
        public boolean isIdle(int queue) {
            if (looks > 0) {
                looks--;
                idle = looks == 0;
            }
            return idle;
        }
    }
}
