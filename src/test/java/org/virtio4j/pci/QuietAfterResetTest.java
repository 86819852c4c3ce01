// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.device.DeviceContext;
import org.virtio4j.fixture.Parked;
import org.virtio4j.fixture.Seeds;

/**
 * Four threads at once: the device raises whatever it can, one CPU resets and starts the device again and again, one
 * changes everything that holds interrupts back, one reads registers. Nobody waits for ever.
 */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class QuietAfterResetTest {

    private static final int ROUNDS = 4_000;
    private static final int LOOKS = 200;

    private final AtomicReference<@Nullable Throwable> thrown = new AtomicReference<>();
    private final AtomicInteger late = new AtomicInteger();
    private volatile boolean quiet;
    private volatile boolean over;

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    @DisplayName("2.4.1: once the status reads 0 nothing arrives until the driver starts the device again")
    void shouldBeQuietFromAResetToTheNextStart(boolean ownTable) {
        long seed = Seeds.next();
        try (PciGuest guest = ownTable ? PciGuest.sendingMessages() : PciGuest.handingOverVectors()) {
            guest.inDelivery = () -> {
                if (quiet) {
                    late.incrementAndGet();
                }
            };
            guest.start();
            List<Thread> others = List.of(
                    thread("device", new Random(seed), random -> raise(guest, random)),
                    thread("holding CPU", new Random(seed + 1), random -> holdBack(guest, random)),
                    thread("reading CPU", new Random(seed + 2), random -> look(guest, random)));
            List<Thread> started = new ArrayList<>(others);
            started.forEach(Thread::start);
            for (int round = 0; round < ROUNDS && thrown.get() == null; round++) {
                resetAndStart(guest);
            }
            over = true;
            started.forEach(Parked::finish);
            assertEquals(null, thrown.get());
            assertEquals(0, late.get(), "interrupts between a reset and the next start");
        }
    }

    private void resetAndStart(PciGuest guest) {
        guest.put(PciSpec.DEVICE_STATUS, 1, 0);
        while (guest.get(PciSpec.DEVICE_STATUS, 1) != 0) {
            Thread.onSpinWait();
        }
        quiet = true;
        for (int i = 0; i < LOOKS; i++) {
            guest.get(PciSpec.NUM_QUEUES, 2);
        }
        quiet = false;
        guest.put(PciSpec.DRIVER_FEATURE_SELECT, 4, 1);
        guest.put(PciSpec.DRIVER_FEATURE, 4, 1 | 1 << (40 - 32));
        guest.put(PciSpec.DEVICE_STATUS, 1, 11);
        guest.enable(0);
        guest.enable(1);
        guest.put(PciSpec.CONFIG_MSIX_VECTOR, 2, 0);
        guest.map(0, 1);
        guest.map(1, 2);
        guest.put(PciSpec.DEVICE_STATUS, 1, PciSpec.RUNNING);
        guest.messages.clear();
        guest.vectors.clear();
        guest.withdrawn.clear();
        guest.device.take();
    }

    private static void raise(PciGuest guest, Random random) {
        DeviceContext active = guest.device.context;
        if (active == null) {
            return;
        }
        switch (random.nextInt(4)) {
            case 0 -> active.configChanged();
            case 1 -> active.needsReset("a test");
            default -> active.interrupt(random.nextInt(2));
        }
    }

    private static void holdBack(PciGuest guest, Random random) {
        boolean on = random.nextBoolean();
        switch (random.nextInt(5)) {
            case 0 -> guest.command(on ? PciGuest.ON : PciSpec.MEMORY_SPACE);
            case 1 -> guest.messageControl(on ? PciSpec.MSIX_ENABLE : PciSpec.MSIX_ENABLE | PciSpec.MSIX_MASK_ALL);
            case 2 -> guest.messageControl(PciSpec.MSIX_ENABLE);
            default -> guest.entry(random.nextInt(3), PciGuest.DOORBELL, 1, on ? 1 : 0);
        }
    }

    private static void look(PciGuest guest, Random random) {
        switch (random.nextInt(4)) {
            case 0 -> guest.function.readBar(PciGuest.VIRTIO_BAR, guest.config, 4);
            case 1 -> guest.get(PciSpec.CONFIG_GENERATION, 1);
            case 2 -> guest.interruptStatus();
            default -> guest.kick(random.nextInt(2));
        }
    }

    /** Something that a thread does again and again. */
    private interface Step {
        void run(Random random);
    }

    private Thread thread(String name, Random random, Step step) {
        Thread thread = new Thread(() -> {
            while (!over) {
                step.run(random);
            }
        }, name);
        thread.setUncaughtExceptionHandler((ended, problem) -> thrown.compareAndSet(null, problem));
        return thread;
    }
}
