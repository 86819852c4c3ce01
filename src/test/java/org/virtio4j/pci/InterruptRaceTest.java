// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.virtio4j.fixture.Parked;

/** An interrupt that comes while the guest holds interrupts back and lets them go again arrives, and arrives once. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class InterruptRaceTest {

    private static final int ROUNDS = 3_000;

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
