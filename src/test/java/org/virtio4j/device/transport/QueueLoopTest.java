// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.device.QueueLoop;
import org.virtio4j.device.QueueWork;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.fixture.DriverRing;
import org.virtio4j.fixture.DriverRing.Buffer;
import org.virtio4j.fixture.GuestBytes;
import org.virtio4j.fixture.LoopedDevice;
import org.virtio4j.fixture.SilentDevice;
import org.virtio4j.queue.Chain;
import org.virtio4j.queue.DeviceQueue;
import org.virtio4j.queue.QueueSettings;
import org.virtio4j.queue.SplitQueue;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.wire.FeatureBit;

/** The loop that serves every queue, watched at the ring's interface. */
class QueueLoopTest {

    private static final int RUNNING = 15;
    private static final long DESCRIPTORS = 0x1000;
    private static final long AVAILABLE = 0x2000;
    private static final long USED = 0x3000;
    private static final long BUFFER = 0x8000;

    private final GuestMemory memory = GuestMemory.anonymous(0, 1 << 20);
    private final List<String> calls = new ArrayList<>();

    @AfterEach
    void closeMemory() {
        memory.close();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    @DisplayName("One buffer takes three sections: one to take it, one to answer, one to publish and look once more")
    void shouldServeOneBufferInThreeSections(boolean eventIdx) {
        Echo echo = new Echo();
        DeviceLifecycle lifecycle = lifecycle(echo, new Signals());
        DriverRing ring = start(lifecycle, eventIdx);
        calls.clear();
        ring.chain(0, Buffer.writable(BUFFER, 16));
        ring.offer(0);
        lifecycle.kicks().kick(0);
        assertEquals(1, ring.usedIndex());
        assertEquals(3, calls.stream().filter("enter"::equals).count(), calls::toString);
        assertEquals(List.of("worked 1", "published 1"), echo.seen);
        // Whatever else would open a section of its own is called in one of the three.
        int depth = 0;
        for (String call : calls) {
            depth += call.equals("enter") ? 1 : call.equals("leave") ? -1 : 0;
            boolean opensItsOwn = call.equals("publish") || call.endsWith("ableNotifications");
            assertTrue(!opensItsOwn || depth == 1, () -> call + " outside of a section: " + calls);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    @DisplayName("A work that answers at once takes, answers and publishes in one section, while it has use for one")
    void shouldAnswerAtOnceInOneSection(boolean eventIdx) {
        Reporter reporter = new Reporter();
        DeviceLifecycle lifecycle = lifecycle(reporter, new Signals());
        DriverRing ring = start(lifecycle, eventIdx);
        offerTwo(ring);
        calls.clear();
        reporter.report();
        assertEquals(1, ring.usedIndex());
        assertEquals(1, calls.stream().filter("enter"::equals).count(), calls::toString);
        assertEquals(List.of("answered", "published 1"), reporter.seen);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    @DisplayName("A kick that finds a turn being served is served after it: the driver may not notify once more")
    void shouldServeKickThatWasLeftToTurn(boolean eventIdx) {
        Reporter reporter = new Reporter();
        DeviceLifecycle lifecycle = lifecycle(reporter, new Signals());
        DriverRing ring = start(lifecycle, eventIdx);
        // The pass has looked, found nothing, and asked to be notified; then comes what it asked for.
        reporter.atEndOfPass = () -> {
            reporter.atEndOfPass = () -> { };
            offerTwo(ring);
            onAnotherThread(() -> lifecycle.kicks().kick(0));
        };
        reporter.report();
        assertEquals(1, ring.usedIndex());
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    @DisplayName("A callback of the work that has something to say does not wait for its own turn, and is heard in it")
    void shouldNotWaitForOwnTurn(boolean eventIdx) {
        Reporter reporter = new Reporter();
        DeviceLifecycle lifecycle = lifecycle(reporter, new Signals());
        DriverRing ring = start(lifecycle, eventIdx);
        offerTwo(ring);
        reporter.atAnswer = () -> {
            reporter.atAnswer = () -> { };
            reporter.report();
        };
        reporter.report();
        assertEquals(2, ring.usedIndex());
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    @DisplayName("The interrupt is sent when the turn is over, so that another thread can have its own meanwhile")
    void shouldSendInterruptAfterTurn(boolean eventIdx) {
        Reporter reporter = new Reporter();
        List<Integer> used = new ArrayList<>();
        List<DriverRing> rings = new ArrayList<>();
        DeviceLifecycle lifecycle = lifecycle(reporter, new Signals() {
            @Override
            public void queueInterrupt(int queue) {
                if (used.isEmpty()) {
                    used.add(rings.getFirst().usedIndex());
                    onAnotherThread(reporter::report);
                }
            }
        });
        rings.add(start(lifecycle, eventIdx));
        offerTwo(rings.getFirst());
        reporter.report();
        assertEquals(List.of(1), used);
        assertEquals(2, rings.getFirst().usedIndex());
    }

    private static void offerTwo(DriverRing ring) {
        for (int i = 0; i < 2; i++) {
            ring.chain(i, Buffer.writable(BUFFER, 16));
            ring.offer(i);
        }
    }

    private static void onAnotherThread(Runnable action) {
        Thread thread = Thread.ofPlatform().start(action);
        try {
            assertTrue(thread.join(Duration.ofSeconds(30)), "the other thread waits");
        } catch (InterruptedException interrupted) {
            throw new AssertionError(interrupted);
        }
    }

    private DeviceLifecycle lifecycle(SilentDevice device, Signals signals) {
        return new DeviceLifecycle(device, DmaSpace.identity(memory), signals, Long.MAX_VALUE, this::watched);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1})
    void shouldRefuseWorkThatTakesNoBuffer(int batch) {
        QueueWork none = new QueueWork() {
            @Override
            public int batch() {
                return batch;
            }

            @Override
            public void take(int slot, Chain chain) {
                throw new AssertionError("it takes none");
            }

            @Override
            public boolean work(int count, QueueLoop served) {
                return true;
            }

            @Override
            public boolean answer(int slot, Chain chain) {
                throw new AssertionError("it took none");
            }
        };
        IllegalArgumentException refused =
                assertThrows(IllegalArgumentException.class, () -> new QueueLoop(0, none));
        assertTrue(String.valueOf(refused.getMessage()).startsWith("batch=" + batch), refused.getMessage());
    }

    private DriverRing start(DeviceLifecycle lifecycle, boolean eventIdx) {
        lifecycle.writeStatus(3);
        lifecycle.features().accept(0, eventIdx ? 1 << FeatureBit.EVENT_IDX : 0);
        lifecycle.features().accept(1, 1);
        lifecycle.writeStatus(11);
        lifecycle.queues().writeAddress(0, QueueArea.DESCRIPTOR, DESCRIPTORS);
        lifecycle.queues().writeAddress(0, QueueArea.DRIVER, AVAILABLE);
        lifecycle.queues().writeAddress(0, QueueArea.DEVICE, USED);
        lifecycle.queues().enable(0);
        lifecycle.writeStatus(RUNNING);
        assertEquals(RUNNING, lifecycle.status());
        return new DriverRing(new GuestBytes(memory, null), Echo.SIZE, DESCRIPTORS, AVAILABLE, USED);
    }

    /** A ring whose calls are written down. */
    private DeviceQueue watched(QueueSettings settings, DmaHandle dma) {
        SplitQueue ring = new SplitQueue(settings, dma);
        return (DeviceQueue) Proxy.newProxyInstance(getClass().getClassLoader(), new Class<?>[] {DeviceQueue.class},
                (proxy, method, arguments) -> {
                    calls.add(method.getName());
                    return call(ring, method, arguments);
                });
    }

    private static @Nullable Object call(SplitQueue ring, Method method, Object @Nullable [] arguments)
            throws Throwable {
        try {
            return method.invoke(ring, arguments);
        } catch (InvocationTargetException thrown) {
            throw thrown.getCause();
        }
    }

    /** Gives each buffer back as it is, and writes down what it was asked. */
    private static final class Echo extends LoopedDevice {

        static final int SIZE = 8;

        private final QueueLoop loop = new QueueLoop(0, this);
        private final List<String> seen = new ArrayList<>();

        @Override
        protected QueueLoop loop() {
            return loop;
        }

        @Override
        public void take(int slot, Chain chain) {
            assertEquals(0, slot);
        }

        @Override
        public boolean work(int count, QueueLoop served) {
            seen.add("worked " + count);
            return true;
        }

        @Override
        public boolean answer(int slot, Chain chain) {
            return true;
        }

        @Override
        public void published(int count, boolean interrupt) {
            seen.add("published " + count);
        }
    }

    /** Fills a buffer for each report, as a device does that has something to say now and then. */
    private static final class Reporter extends LoopedDevice {

        private final QueueLoop loop = QueueLoop.inTurns(0, this);
        private final List<String> seen = new ArrayList<>();
        private Runnable atAnswer = () -> { };
        private Runnable atEndOfPass = () -> { };
        private int reports;

        void report() {
            boolean begun = loop.beginTurn();
            reports++;
            if (begun) {
                loop.serveTurn();
            }
        }

        @Override
        protected QueueLoop loop() {
            return loop;
        }

        @Override
        public int room() {
            return Math.min(1, reports);
        }

        @Override
        public boolean answersAtOnce() {
            return true;
        }

        @Override
        public void take(int slot, Chain chain) {
            throw new AssertionError("taken");
        }

        @Override
        public boolean work(int count, QueueLoop served) {
            throw new AssertionError("worked");
        }

        @Override
        public boolean answer(int slot, Chain chain) {
            seen.add("answered");
            reports--;
            atAnswer.run();
            return true;
        }

        @Override
        public void published(int count, boolean interrupt) {
            seen.add("published " + count);
        }

        @Override
        public void passed() {
            atEndOfPass.run();
        }
    }
}
