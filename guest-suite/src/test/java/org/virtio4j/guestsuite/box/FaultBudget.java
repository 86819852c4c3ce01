// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite.box;

import java.util.concurrent.TimeUnit;

/**
 * Waits so that Linux reports every fault. It drops the reports of more than three in five seconds (Linux,
 * drivers/iommu/intel/dmar.c: a fault takes three of ten that {@code DEFAULT_RATELIMIT_BURST} allows).
 */
final class FaultBudget {

    private static final int FAULTS = 3;
    private static final long WINDOW_NANOS = TimeUnit.MILLISECONDS.toNanos(5500);

    /** From here on it is uncertain whether Linux begins a new window. */
    private static final long UNCERTAIN_NANOS = TimeUnit.MILLISECONDS.toNanos(4000);

    private long begin;
    private int used;

    /** A DMA that the box's IOMMU is to refuse. */
    interface Refused {
        void run() throws InterruptedException;
    }

    void spend(Refused dma) throws InterruptedException {
        long passed = System.nanoTime() - begin;
        if (used == FAULTS || (used > 0 && passed > UNCERTAIN_NANOS)) {
            TimeUnit.NANOSECONDS.sleep(WINDOW_NANOS - passed);
            used = 0;
        }
        dma.run();
        if (used == 0) {
            begin = System.nanoTime();
        }
        used++;
    }
}
