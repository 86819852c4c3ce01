// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.virtio4j.device.DeviceContext;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.fixture.Parked;
import org.virtio4j.fixture.RecordingDevice;
import org.virtio4j.vmm.GuestMemory;

/** Section 2.4.1: a reset waits for the signals of others, and for none of its own thread's. */
@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SignalsUnderWayTest {

    private static final int KIND = 1;

    private final GuestMemory memory = GuestMemory.anonymous(0, 1 << 20);
    private final SignalsUnderWay underWay = new SignalsUnderWay(2);

    @AfterEach
    void closeMemory() {
        memory.close();
    }

    @Test
    void shouldNotCountOnesOwnWhenAnotherThreadCameFirstAndIsGone() {
        try (Parked other = Parked.between(() -> underWay.begin(KIND), () -> underWay.end(KIND))) {
            underWay.begin(KIND);
            assertFalse(underWay.isQuiet(KIND));
            assertTrue(underWay.isQuiet(0), "another kind");
            other.letGo();
            Parked.until(() -> underWay.isQuiet(KIND));
        }
        underWay.end(KIND);
        assertTrue(underWay.isQuiet(KIND));
    }

    @Test
    void shouldNotCountOnesOwnWhenThereAreSeveral() {
        for (int depth = 0; depth < 3; depth++) {
            underWay.begin(KIND);
            assertTrue(underWay.isQuiet(KIND));
        }
        Parked.finish(started(() -> assertFalse(underWay.isQuiet(KIND))));
        for (int depth = 0; depth < 3; depth++) {
            underWay.end(KIND);
            assertTrue(underWay.isQuiet(KIND));
        }
        boolean[] quiet = new boolean[1];
        Parked.finish(started(() -> quiet[0] = underWay.isQuiet(KIND)));
        assertTrue(quiet[0]);
    }

    @Test
    @DisplayName("an embedder who resets from within an interrupt waits for the others', and not for his own")
    void shouldNotWaitForItselfWhenAnotherSignalCameFirst() throws InterruptedException {
        RecordingDevice device = new RecordingDevice();
        CountDownLatch first = new CountDownLatch(1);
        CountDownLatch second = new CountDownLatch(1);
        DeviceLifecycle[] own = new DeviceLifecycle[1];
        TransportSignals signals = new TransportSignals() {
            @Override
            public void queueInterrupt(int queue) {
                throw new AssertionError("no buffer was used");
            }

            @Override
            public void configInterrupt() {
                if (Thread.currentThread().getName().equals("first")) {
                    first.countDown();
                    Parked.await(second);
                } else {
                    second.countDown();
                    own[0].writeStatus(0);
                }
            }

            @Override
            public void deviceReset() {
                // There is nothing to withdraw.
            }
        };
        own[0] = new DeviceLifecycle(device, DmaSpace.identity(memory), signals, Long.MAX_VALUE);
        own[0].features().accept(1, 1);
        own[0].writeStatus(15);
        assertEquals(15, own[0].status());
        DeviceContext active = device.active();
        Thread other = new Thread(active::configChanged, "first");
        other.start();
        Parked.await(first);
        active.configChanged();
        Parked.finish(other);
        assertEquals(0, own[0].status());
    }

    private static Thread started(Runnable what) {
        Thread thread = new Thread(what, "other");
        thread.start();
        return thread;
    }
}
