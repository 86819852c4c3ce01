// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.fault;

import java.util.concurrent.locks.Lock;
import org.virtio4j.dma.translate.ExtentSink;
import org.virtio4j.dma.translate.TranslateResult;
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

    /**
     * Connects the endpoints to their event queue.
     *
     * @param control the control lock, taken for each fault if {@code placed}
     * @param events  writes the faults for the driver
     * @param placed  whether a listener records traffic, so that each fault needs its place among the requests
     */
    public FaultReports(Lock control, EventQueue events, boolean placed) {
        this.control = control;
        this.events = events;
        this.placed = placed;
    }

    /**
     * Reports an access that was refused. Called on the thread of the device, after its section and under no lock. What
     * the interrupt of the event queue throws comes out of this call; what observers throw is counted.
     *
     * @param where  the view of the endpoint
     * @param reason why the access was refused, never {@link TranslateResult#OK}
     * @param iova   the first I/O-virtual address that was refused
     * @param access what was tried
     */
    public void report(FaultSource where, TranslateResult reason, long iova, Access access) {
        if (placed) {
            addInPlace(where, reason, iova, access);
            events.deliver();
        } else {
            events.report(where, reason, iova, access);
        }
    }

    /**
     * Gives the fault its place among the requests. The section is over, so the driver may have changed by now what was
     * the reason; such a fault has no place, and is told to the driver alone.
     */
    private void addInPlace(FaultSource where, TranslateResult reason, long iova, Access access) {
        control.lock();
        try {
            boolean same = where.translate(iova, access, NOWHERE) == reason;
            events.add(where, reason, iova, access, same);
        } finally {
            control.unlock();
        }
    }
}
