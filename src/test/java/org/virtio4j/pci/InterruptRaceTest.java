// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.virtio4j.device.ResetKind;
import org.virtio4j.fixture.Parked;

/**
 * An interrupt that comes while the guest holds interrupts back and lets them go again arrives, and arrives once. None
 * that comes while the guest resets arrives after the reset has been seen.
 */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class InterruptRaceTest {

    private static final int ROUNDS = 3_000;
    private static final int RESETS = 20_000;

    /** What takes back what a queue has raised. */
    enum End {
        STATUS_0(guest -> guest.put(PciSpec.DEVICE_STATUS, 1, 0)),
        FUNCTION_RESET(PciGuest::functionReset),
        QUEUE_RESET(guest -> guest.resetQueue(0)),
        NO_VECTOR(guest -> guest.map(0, PciSpec.NO_VECTOR)),
        EMBEDDER(guest -> guest.function.reset(ResetKind.SYSTEM));

        @SuppressWarnings("ImmutableEnumChecker") // a lambda that captures nothing
        private final Consumer<PciGuest> end;

        End(Consumer<PciGuest> end) {
            this.end = end;
        }
    }

    private final PciGuest guest = PciGuest.sendingMessages();

    @AfterEach
    void close() {
        guest.close();
    }

    @Test
    void shouldSendOneMessageWhenAVectorIsMaskedMeanwhile() {
        startWithMessages();
        race(() -> {
            guest.mask(1, true);
            guest.mask(1, false);
        });
    }

    @Test
    void shouldSendOneMessageWhenTheFunctionIsMaskedMeanwhile() {
        startWithMessages();
        race(() -> {
            guest.messageControl(PciSpec.MSIX_ENABLE | PciSpec.MSIX_MASK_ALL);
            guest.messageControl(PciSpec.MSIX_ENABLE);
        });
    }

    @Test
    void shouldSendOneMessageWhenBusMasteringIsOffMeanwhile() {
        startWithMessages();
        race(() -> {
            guest.command(PciSpec.MEMORY_SPACE);
            guest.command(PciSpec.MEMORY_SPACE | PciSpec.BUS_MASTER);
        });
    }

    @ParameterizedTest
    @EnumSource(End.class)
    @DisplayName("2.4.1, 2.6.1.1.1, 4.1.5.3.1: a vector unmasked meanwhile sends before the reset is seen, or never")
    void shouldSendNothingAfterAResetWhenAVectorIsUnmaskedMeanwhile(End end) {
        raceWithReset(end, () -> guest.mask(1, false));
    }

    @ParameterizedTest
    @EnumSource(value = End.class, names = {"STATUS_0", "QUEUE_RESET", "NO_VECTOR"})
    @DisplayName("2.4.1, 2.6.1.1.1, 4.1.5.3.1: nor does what had to wait for bus mastering come back")
    void shouldSendNothingAfterAResetWhenBusMasteringComesAndGoesMeanwhile(End end) {
        raceWithReset(end, () -> {
            guest.mask(1, false);
            guest.command(PciSpec.MEMORY_SPACE);
            guest.command(PciGuest.ON);
        });
    }

    /** One thread lets a pending vector go, another resets: what has not arrived by then must not arrive. */
    private void raceWithReset(End end, Runnable letGo) {
        CyclicBarrier together = new CyclicBarrier(2);
        Thread cpu = new Thread(() -> {
            for (int round = 0; round < RESETS; round++) {
                await(together);
                letGo.run();
                await(together);
            }
        }, "CPU");
        cpu.start();
        boolean running = false;
        for (int round = 0; round < RESETS; round++) {
            boolean ended = end == End.STATUS_0 || end == End.FUNCTION_RESET || end == End.EMBEDDER;
            if (!running || ended) {
                startWithMessages();
                running = true;
            }
            guest.mask(1, true);
            guest.enable(0);
            guest.map(0, 1);
            guest.context().interrupt(0);
            await(together);
            end.end.accept(guest);
            int seen = guest.messages.size();
            await(together);
            assertEquals(seen, guest.takeMessages().size(), "round " + round);
            guest.command(PciGuest.ON);
            assertEquals(0, guest.pending(), "round " + round);
        }
        Parked.finish(cpu);
    }

    @ParameterizedTest
    @EnumSource(End.class)
    @DisplayName("2.4.1, 2.6.1.1.1, 4.1.5.3.1: a reset waits for the message that a guest's other CPU has let go")
    void shouldWaitForAMessageThatIsOnItsWay(End end) {
        startWithMessages();
        guest.mask(1, true);
        guest.context().interrupt(0);
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        guest.inDelivery = () -> {
            inside.countDown();
            Parked.await(go);
        };
        Thread cpu = new Thread(() -> guest.mask(1, false), "CPU");
        cpu.start();
        Parked.await(inside);
        List<Integer> seen = new CopyOnWriteArrayList<>();
        Thread resetting = new Thread(() -> {
            end.end.accept(guest);
            seen.add(guest.messages.size());
        }, "reset");
        resetting.start();
        Parked.until(() -> resetting.getState() == Thread.State.WAITING || !seen.isEmpty());
        assertEquals(List.of(), seen, "a message is on its way");
        if (end == End.STATUS_0) {
            assertEquals(PciSpec.RUNNING, guest.get(PciSpec.DEVICE_STATUS, 1), "0 would say that it is complete");
        }
        if (end == End.QUEUE_RESET) {
            assertEquals(1, guest.get(PciSpec.QUEUE_RESET, 2), "0 would say that it is complete");
        }
        go.countDown();
        Parked.finish(resetting);
        Parked.finish(cpu);
        assertEquals(List.of(1), seen);
    }

    @ParameterizedTest
    @EnumSource(value = End.class, names = {"NO_VECTOR", "QUEUE_RESET"})
    @DisplayName("4.1.5.3.1: an embedder is asked to withdraw when what another thread raises has arrived")
    void shouldWaitForAVectorThatIsOnItsWay(End end) {
        try (PciGuest keeper = PciGuest.handingOverVectors()) {
            keeper.start();
            keeper.useMessages();
            CountDownLatch inside = new CountDownLatch(1);
            CountDownLatch go = new CountDownLatch(1);
            keeper.inDelivery = () -> {
                inside.countDown();
                Parked.await(go);
            };
            Thread device = new Thread(() -> keeper.context().interrupt(0), "device");
            device.start();
            Parked.await(inside);
            Thread cpu = new Thread(() -> end.end.accept(keeper), "CPU");
            cpu.start();
            // A queue reset waits for the device's signals in its own way, which may spin.
            Parked.until(() -> cpu.getState() == Thread.State.WAITING || end == End.QUEUE_RESET);
            assertEquals(List.of(), keeper.withdrawn);
            go.countDown();
            Parked.finish(cpu);
            Parked.finish(device);
            assertEquals(List.of(1), keeper.vectors);
            assertEquals(List.of(1), keeper.withdrawn);
        }
    }

    /** What takes the right to interrupt by messages away. */
    enum Silence {
        BUS_MASTER_OFF(guest -> guest.command(PciSpec.MEMORY_SPACE)),
        ASLEEP(guest -> guest.powerState(3)),
        MSIX_OFF(guest -> guest.messageControl(0));

        @SuppressWarnings("ImmutableEnumChecker") // a lambda that captures nothing
        private final Consumer<PciGuest> silence;

        Silence(Consumer<PciGuest> silence) {
            this.silence = silence;
        }
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("PCI 6.2.2, 6.8.2, PM 5.4.1: when the write returns, no message of before is on its way")
    void shouldWaitForAMessageWhenTheFunctionMaySendNoMore(Silence silence) {
        try (PciGuest keeper = PciGuest.handingOverVectors()) {
            for (PciGuest each : List.of(guest, keeper)) {
                each.start();
                each.useMessages();
                CountDownLatch inside = new CountDownLatch(1);
                CountDownLatch go = new CountDownLatch(1);
                each.inDelivery = () -> {
                    inside.countDown();
                    Parked.await(go);
                };
                Thread device = new Thread(() -> each.context().interrupt(0), "device");
                device.start();
                Parked.await(inside);
                List<Integer> seen = new CopyOnWriteArrayList<>();
                Thread cpu = new Thread(() -> {
                    silence.silence.accept(each);
                    seen.add(each.messages.size() + each.vectors.size());
                }, "CPU");
                cpu.start();
                Parked.until(() -> cpu.getState() == Thread.State.WAITING || !seen.isEmpty());
                go.countDown();
                Parked.finish(cpu);
                Parked.finish(device);
                assertEquals(List.of(1), seen);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldNotWaitForItselfWhenASinkSilencesItsFunction(Silence silence) {
        startWithMessages();
        guest.inDelivery = () -> silence.silence.accept(guest);
        guest.context().interrupt(0);
        assertEquals(1, guest.messages.size());
    }

    @Test
    void shouldNotWaitForTheMessageOfAnotherVector() {
        startWithMessages();
        guest.map(1, 2);
        guest.point(2);
        guest.mask(2, true);
        guest.context().interrupt(1);
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        guest.inDelivery = () -> {
            inside.countDown();
            Parked.await(go);
        };
        Thread cpu = new Thread(() -> guest.mask(2, false), "CPU");
        cpu.start();
        Parked.await(inside);
        guest.map(0, PciSpec.NO_VECTOR);
        guest.resetQueue(0);
        go.countDown();
        Parked.finish(cpu);
        assertEquals(1, guest.messages.size());
    }

    @Test
    @DisplayName("a sink may read registers and configuration while another thread resets")
    void shouldLetASinkReadWhileAnotherThreadResets() {
        startWithMessages();
        guest.mask(1, true);
        guest.context().interrupt(0);
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        guest.inDelivery = () -> {
            inside.countDown();
            Parked.await(go);
            guest.read(PciSpec.COMMAND, 2);
            guest.get(PciSpec.CONFIG_GENERATION, 1);
            guest.get(PciSpec.QUEUE_SIZE, 2);
            guest.get(PciSpec.QUEUE_MSIX_VECTOR, 2);
            guest.function.readBar(PciGuest.VIRTIO_BAR, guest.config, 4);
            guest.isr();
        };
        Thread cpu = new Thread(() -> guest.mask(1, false), "CPU");
        cpu.start();
        Parked.await(inside);
        Thread resetting = new Thread(() -> guest.put(PciSpec.DEVICE_STATUS, 1, 0), "reset");
        resetting.start();
        Parked.until(() -> resetting.getState() == Thread.State.WAITING);
        go.countDown();
        Parked.finish(cpu);
        Parked.finish(resetting);
    }

    @ParameterizedTest
    @EnumSource(End.class)
    void shouldNotWaitForItselfWhenTheSinkOfAnUnmaskedVectorResets(End end) {
        startWithMessages();
        guest.mask(1, true);
        guest.context().interrupt(0);
        guest.inDelivery = () -> end.end.accept(guest);
        guest.mask(1, false);
        assertEquals(1, guest.messages.size());
        guest.inDelivery = () -> { };
        guest.command(PciGuest.ON);
        assertEquals(0, guest.pending());
    }

    private void startWithMessages() {
        guest.start();
        guest.messageControl(PciSpec.MSIX_ENABLE);
        guest.select(0);
        guest.put(PciSpec.QUEUE_MSIX_VECTOR, 2, 1);
        guest.point(1);
    }

    /** The device raises once a round, on a thread of its own. */
    private void race(Runnable holdAndLetGo) {
        CyclicBarrier together = new CyclicBarrier(2);
        Thread device = new Thread(() -> {
            for (int round = 0; round < ROUNDS; round++) {
                await(together);
                guest.context().interrupt(0);
                await(together);
            }
        }, "device");
        device.start();
        for (int round = 0; round < ROUNDS; round++) {
            await(together);
            holdAndLetGo.run();
            await(together);
            assertEquals(1, guest.takeMessages().size(), "round " + round);
            assertEquals(0, guest.pending());
        }
        Parked.finish(device);
    }

    private static void await(CyclicBarrier barrier) {
        try {
            barrier.await();
        } catch (InterruptedException | BrokenBarrierException stopped) {
            throw new AssertionError(stopped);
        }
    }
}
