// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.device.DeviceContext;
import org.virtio4j.device.DeviceListener;
import org.virtio4j.device.ResetKind;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.fixture.SilentDevice;
import org.virtio4j.vmm.GuestMemory;

/** A transport of an embedder's own, a listener and a device, each method of which may throw, also several at once. */
class ThrowingSignalsTest {

    private static final int NEEDS_RESET = 64;
    private static final int RUNNING = 15;
    private static final long RING = 0x10_0000;

    private final GuestMemory memory = GuestMemory.anonymous(RING, 0x2_0000);
    private final List<String> failing = new ArrayList<>();
    private final Failing device = new Failing();
    private final Failing transport = new Failing();
    private final DeviceLifecycle lifecycle = new DeviceLifecycle(device, DmaSpace.identity(memory), transport, 0);

    /** All of it; each throws if its name is in the list. */
    private final class Failing extends SilentDevice implements TransportSignals, DeviceListener {

        private @Nullable DeviceContext active;
        private boolean busy;
        private int ended;
        private int updates;

        @Override
        public void queueInterrupt(int queue) {
            fail("queueInterrupt");
        }

        @Override
        public void configInterrupt() {
            fail("configInterrupt");
        }

        @Override
        public void starting() {
            fail("starting");
        }

        @Override
        public void queueEnded(int queue) {
            ended++;
            fail("queueEnded");
        }

        @Override
        public void updateLine() {
            updates++;
            fail("updateLine");
        }

        @Override
        public void deviceReset() {
            fail("deviceReset");
        }

        @Override
        public void needsReset(String reason) {
            fail("needsReset");
        }

        @Override
        public void resetDelayed(long waitedNanos) {
            fail("resetDelayed");
        }

        @Override
        public void resetCompleted(ResetKind kind) {
            fail("resetCompleted");
        }

        @Override
        public void activate(DeviceContext context) {
            active = context;
            fail("activate");
        }

        @Override
        public void kicked(int queue) {
            fail("kicked");
            Objects.requireNonNull(active).interrupt(queue);
        }

        @Override
        public void queueStopped(int queue) {
            fail("queueStopped");
        }

        @Override
        public void stop() {
            fail("stop");
        }

        @Override
        public boolean isIdle(int queue) {
            fail("isIdle");
            return !busy;
        }

        @Override
        public void reset(ResetKind kind) {
            fail("reset");
        }
    }

    private void fail(String name) {
        if (failing.contains(name)) {
            throw new IllegalStateException(name);
        }
    }

    @AfterEach
    void close() {
        failing.clear();
        device.busy = false;
        boolean ignored = lifecycle.reset(ResetKind.DEVICE);
        memory.close();
    }

    @Test
    @DisplayName("2.1.2: where the interrupt and the listener both throw, neither hides the other, nor the reason")
    void shouldThrowTheFirstWithTheOthersAsItsCompanions() {
        lifecycle.listener(new Failing());
        start();
        failing.addAll(List.of("kicked", "configInterrupt", "needsReset"));
        assertThrown(List.of("kicked", "configInterrupt", "needsReset"), () -> lifecycle.kicks().kick(0));
        assertTrue(lifecycle.needsResetReason().contains("kicked"), lifecycle.needsResetReason());
    }

    @Test
    @DisplayName("3.1.1: an activation that fails is told of, whoever throws besides")
    void shouldTellOfAStartThatFailsWhoeverThrows() {
        lifecycle.listener(new Failing());
        failing.addAll(List.of("activate", "stop", "configInterrupt", "needsReset"));
        assertThrown(List.of("activate", "stop", "configInterrupt", "needsReset"), this::start);
        assertTrue(lifecycle.needsResetReason().contains("activate"), lifecycle.needsResetReason());
    }

    @Test
    @DisplayName("2.4.1: a reset is complete, whoever throws")
    void shouldCompleteAResetWhoeverThrows() {
        lifecycle.listener(new Failing());
        start();
        failing.addAll(List.of("stop", "reset", "deviceReset", "resetCompleted"));
        assertThrown(List.of("stop", "reset", "deviceReset", "resetCompleted"),
                () -> lifecycle.reset(ResetKind.DEVICE));
        assertEquals(0, lifecycle.status());
        assertEquals("", lifecycle.needsResetReason());
        failing.clear();
        start();
        lifecycle.kicks().kick(0);
    }

    @ParameterizedTest
    @ValueSource(strings = {"queueInterrupt", "configInterrupt", "starting", "deviceReset"})
    @DisplayName("2.1.2: what a transport throws comes out once, at each of 200 calls, and the device serves again")
    void shouldSurviveEachCallOfItsTransportThatThrows(String name) {
        for (int call = 0; call < 200; call++) {
            failing.add(name);
            List<String> out = new ArrayList<>();
            List<Runnable> steps = List.of(this::start, () -> lifecycle.kicks().kick(0),
                    this::breakDevice,
                    () -> lifecycle.reset(ResetKind.DEVICE));
            for (Runnable step : steps) {
                try {
                    step.run();
                } catch (IllegalStateException thrown) {
                    out.addAll(names(thrown));
                    boolean served = name.equals("queueInterrupt") || name.equals("starting");
                    assertTrue(!served || lifecycle.needsResetReason().contains(name), lifecycle.needsResetReason());
                    failing.clear();
                }
            }
            assertEquals(List.of(name), out);
            boolean ignored = lifecycle.reset(ResetKind.DEVICE);
            assertEquals(0, lifecycle.status());
        }
    }

    @Test
    @DisplayName("2.4.1: who hears of a delay and throws neither ends nor hides the reset")
    void shouldGoOnWithAResetWhoseListenerThrows() {
        lifecycle.listener(new Failing());
        for (int call = 0; call < 200; call++) {
            start();
            device.busy = true;
            failing.add("resetDelayed");
            assertThrown(List.of("resetDelayed"), () -> lifecycle.reset(ResetKind.DEVICE));
            failing.clear();
            assertTrue(lifecycle.isResetting());
            device.busy = false;
            assertEquals(0, lifecycle.status());
        }
    }

    @Test
    @DisplayName("2.4.1: a device that always throws keeps nobody waiting for ever")
    void shouldNotWaitForADeviceThatAlwaysThrows() {
        DeviceLifecycle patient = new DeviceLifecycle(device, DmaSpace.identity(memory), new Failing(),
                Long.MAX_VALUE);
        failing.add("isIdle");
        assertThrown(List.of("isIdle", "isIdle"), () -> patient.reset(ResetKind.DEVICE));
        assertTrue(patient.isResetting());
        failing.clear();
        assertEquals(0, patient.status());
    }

    @Test
    @DisplayName("2.6.1: a queue that is disabled is quiet, though its device throws")
    void shouldDisableAQueueWhoseDeviceThrows() {
        start();
        failing.add("queueStopped");
        assertThrown(List.of("queueStopped"), () -> lifecycle.queues().disable(0));
        assertTrue(!lifecycle.queues().isEnabled(0));
        assertTrue(lifecycle.needsResetReason().contains("queueStopped"), lifecycle.needsResetReason());
    }

    @ParameterizedTest
    @ValueSource(strings = {"queueEnded", "updateLine"})
    @DisplayName("2.6.1: a queue that is disabled is so, and its line is updated, though the transport throws")
    void shouldDisableAQueueWhoseTransportThrows(String name) {
        for (int call = 1; call <= 200; call++) {
            start();
            failing.add(name);
            assertThrown(List.of(name), () -> lifecycle.queues().disable(0));
            assertTrue(!lifecycle.queues().isEnabled(0));
            assertEquals(call, transport.ended);
            assertEquals(call, transport.updates);
            failing.clear();
            assertTrue(lifecycle.reset(ResetKind.DEVICE));
        }
    }

    @Test
    @DisplayName("4.1.4.5: a question that throws leaves the line to others")
    void shouldCallTheLineAfterAQuestionThatThrew() {
        List<Boolean> levels = new ArrayList<>();
        int[] calls = new int[1];
        BooleanSupplier used = () -> {
            calls[0]++;
            fail("call " + calls[0]);
            return true;
        };
        for (int call = 1; call <= 20; call++) {
            InterruptStatus status = new InterruptStatus(levels::add, used);
            calls[0] = 0;
            failing.add("call " + call);
            int thrown = 0;
            for (int i = 0; i < 20; i++) {
                try {
                    status.raise(1);
                    status.acknowledge(1);
                } catch (IllegalStateException failure) {
                    thrown++;
                }
            }
            assertEquals(1, thrown, "in call " + call);
            failing.clear();
            status.raise(1);
            status.updateLine();
            assertEquals(true, levels.getLast(), "after call " + call);
        }
    }

    private void start() {
        lifecycle.writeStatus(1);
        lifecycle.writeStatus(3);
        lifecycle.features().accept(1, 1);
        lifecycle.writeStatus(11);
        lifecycle.queues().writeAddress(0, QueueArea.DESCRIPTOR, RING);
        lifecycle.queues().writeAddress(0, QueueArea.DRIVER, RING + 0x1000);
        lifecycle.queues().writeAddress(0, QueueArea.DEVICE, RING + 0x2000);
        lifecycle.queues().enable(0);
        lifecycle.writeStatus(RUNNING);
        assertEquals(RUNNING, lifecycle.status() & ~NEEDS_RESET);
    }

    /** Nothing happens where the device was never started. */
    private void breakDevice() {
        DeviceContext active = device.active;
        if (active != null) {
            active.needsReset("broken");
        }
    }

    private static void assertThrown(List<String> names, Runnable action) {
        assertEquals(names, names(assertThrows(IllegalStateException.class, action::run)));
    }

    private static List<String> names(Throwable thrown) {
        List<String> all = new ArrayList<>(List.of(message(thrown)));
        Arrays.stream(thrown.getSuppressed()).map(ThrowingSignalsTest::names).forEach(all::addAll);
        return all;
    }

    private static String message(Throwable thrown) {
        return Objects.requireNonNull(thrown.getMessage());
    }

    @ParameterizedTest
    @EnumSource(ResetKind.class)
    @DisplayName("2.1.2: a kick that throws before anything is served does not lose the notification in silence")
    void shouldNeedAResetAfterAKickThatThrew(ResetKind kind) {
        start();
        failing.add("kicked");
        assertThrown(List.of("kicked"), () -> lifecycle.kicks().kick(0));
        assertTrue((lifecycle.status() & NEEDS_RESET) != 0);
        assertTrue(lifecycle.needsResetReason().contains("kicked"), lifecycle.needsResetReason());
        failing.clear();
        boolean ignored = lifecycle.reset(kind);
        start();
        assertEquals(RUNNING, lifecycle.status());
    }
}
