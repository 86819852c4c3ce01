// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.fault;

import java.util.concurrent.locks.Lock;
import org.virtio4j.dma.translate.ExtentSink;
import org.virtio4j.dma.translate.TranslateResult;
import org.virtio4j.dma.translate.Translator;
import org.virtio4j.vmm.Access;

/**
 * Takes the faults of all endpoints to the event queue. On the thread of a device, outside its section and under no
 * lock.
 */
public final class FaultReports {

    private static final ExtentSink NOWHERE = (virtStart, virtEnd, physStart, permitted) -> { };

    private final Lock control;
    private final EventQueue events;

    /** Whether faults must have their place among the requests, because somebody records both. */
    private final boolean placed;

    public FaultReports(Lock control, EventQueue events, boolean placed) {
        this.control = control;
        this.events = events;
        this.placed = placed;
    }

    public void report(Translator where, int endpoint, TranslateResult reason, long iova, Access access) {
        if (placed) {
            addInPlace(where, endpoint, reason, iova, access);
            events.deliver();
        } else {
            events.report(endpoint, reason, iova, access);
        }
    }

    /**
     * Gives the fault its place among the requests. The section is over, so the driver may have changed by now what was
     * the reason; such a fault has no place, and is told to the driver alone.
     */
    private void addInPlace(Translator where, int endpoint, TranslateResult reason, long iova, Access access) {
        control.lock();
        try {
            boolean same = where.translate(iova, access, NOWHERE) == reason;
            events.add(endpoint, reason, iova, access, same);
        } finally {
            control.unlock();
        }
    }
}
