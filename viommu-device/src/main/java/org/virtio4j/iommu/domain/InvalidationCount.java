// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.domain;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Counts how often something was taken away. The count sits in the middle of an array of its own, so that it shares a
 * cache line with nothing else: readers load it for each section of a ring, and the writer stores it for each batch.
 */
final class InvalidationCount {

    private static final VarHandle CELL = MethodHandles.arrayElementVarHandle(long[].class);
    private static final int MIDDLE = 16;

    private final long[] cell = new long[2 * MIDDLE + 1];

    long get() {
        return (long) CELL.getAcquire(cell, MIDDLE);
    }

    /** Under the control lock, after the taking and before the grace period, whose fence makes it visible. */
    void advance() {
        CELL.setRelease(cell, MIDDLE, cell[MIDDLE] + 1);
    }
}
