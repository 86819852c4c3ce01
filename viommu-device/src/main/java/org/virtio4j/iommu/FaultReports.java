// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.virtio4j.vmm.Access;
import org.virtio4j.vmm.ExtentSink;
import org.virtio4j.vmm.TranslateResult;

/**
 * Takes the faults of all endpoints to the event queue, past the listener if there is one. On the thread of a device,
 * outside its section and under no lock.
 */
final class FaultReports {

    private static final ExtentSink NOWHERE = (virtStart, virtEnd, physStart, permitted) -> { };

    private final ReentrantLock control;
    private final EventQueue events;
    private final @Nullable TrafficListener traffic;

    FaultReports(ReentrantLock control, EventQueue events, @Nullable TrafficListener traffic) {
        this.control = control;
        this.events = events;
        this.traffic = traffic;
    }

    void report(EndpointTranslator where, int endpoint, TranslateResult reason, long iova, Access access) {
        if (traffic == null) {
            events.report(endpoint, reason, iova, access);
        } else {
            tellOrFail(where, endpoint, reason, iova, access);
            events.deliver();
        }
    }

    private void tellOrFail(EndpointTranslator where, int endpoint, TranslateResult reason, long iova, Access access) {
        try {
            tell(where, endpoint, reason, iova, access);
        } catch (RuntimeException | Error failure) {
            events.failed(failure);
            throw failure;
        }
    }

    /**
     * Gives the fault its place among the requests. The section is over, so the driver may have changed by now what was
     * the reason; such a fault has no place, and is told to the driver alone.
     */
    private void tell(EndpointTranslator where, int endpoint, TranslateResult reason, long iova, Access access) {
        control.lock();
        try {
            boolean same = where.translate(iova, access, NOWHERE) == reason;
            events.add(endpoint, reason, iova, access, same ? traffic : null);
        } finally {
            control.unlock();
        }
    }
}
