// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.observe;

import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.virtio4j.device.Features;
import org.virtio4j.device.ResetKind;
import org.virtio4j.iommu.embedder.IommuListener;
import org.virtio4j.iommu.embedder.ServedRequest;
import org.virtio4j.vmm.Access;

/**
 * All listeners of an IOMMU as one that throws nothing but a {@link VirtualMachineError}. Each method is called under
 * the locks that {@link IommuListener} names. What may come once a request allocates nothing.
 */
public final class IommuListeners {

    private final IommuListener[] all;
    private final boolean recordTraffic;
    private final AtomicLong failures = new AtomicLong();
    private volatile @Nullable Throwable lastFailure;

    /**
     * Asks each listener once whether it records traffic.
     *
     * @param listeners in the order in which they are called
     */
    public IommuListeners(List<IommuListener> listeners) {
        this.all = listeners.toArray(IommuListener[]::new);
        this.recordTraffic = listeners.stream().anyMatch(IommuListener::recordsTraffic);
    }

    /**
     * Whether there is nobody to tell.
     *
     * @return true if the list was empty
     */
    public boolean isEmpty() {
        return all.length == 0;
    }

    /**
     * Whether a listener records traffic, so that requests are copied and faults have a place among them.
     *
     * @return the same each time
     */
    public boolean recordTraffic() {
        return recordTraffic;
    }

    long failures() {
        return failures.get();
    }

    @Nullable Throwable lastFailure() {
        return lastFailure;
    }

    /**
     * The driver has set {@code FEATURES_OK}: {@link IommuListener#negotiated}.
     *
     * @param accepted the features, those of rings and transports included
     */
    public void negotiated(Features accepted) {
        tell(listener -> listener.negotiated(accepted));
    }

    /**
     * The driver has set {@code DRIVER_OK}: {@link IommuListener#activated}.
     *
     * @param requestQueueSize entries of the request queue, 0 if it is not enabled
     * @param eventQueueSize   entries of the event queue, 0 if it is not enabled
     */
    public void activated(int requestQueueSize, int eventQueueSize) {
        tell(listener -> listener.activated(requestQueueSize, eventQueueSize));
    }

    /**
     * Endpoints are attached to nothing any more: {@link IommuListener#reset}.
     *
     * @param kind how much was taken back
     */
    public void reset(ResetKind kind) {
        tell(listener -> listener.reset(kind));
    }

    /**
     * The bypass byte has a new value: {@link IommuListener#bypassWritten}.
     *
     * @param on what the driver has written
     */
    public void bypassWritten(boolean on) {
        tell(listener -> listener.bypassWritten(on));
    }

    /**
     * A wait for readers is over its limit and goes on: {@link IommuListener#stalled}.
     *
     * @param holder      the name of the handle whose section does not end
     * @param waitedNanos how long the wait has lasted, in nanoseconds
     */
    public void stalled(String holder, long waitedNanos) {
        tell(listener -> listener.stalled(holder, waitedNanos));
    }

    /**
     * A doorbell that no reserved region holds was mapped: {@link IommuListener#unreservedDoorbell}. Under no lock.
     *
     * @param endpoint  its id
     * @param virtStart first I/O-virtual address of the mapping
     * @param physStart guest-physical address that it leads to
     */
    public void unreservedDoorbell(int endpoint, long virtStart, long physStart) {
        for (int i = 0; i < all.length; i++) {
            try {
                all[i].unreservedDoorbell(endpoint, virtStart, physStart);
            } catch (Throwable failure) {
                failed(failure);
            }
        }
    }

    /**
     * The answer to a request is written and not yet visible: {@link IommuListener#served}.
     *
     * @param request valid until this returns
     */
    public void served(ServedRequest request) {
        for (int i = 0; i < all.length; i++) {
            try {
                all[i].served(request);
            } catch (Throwable failure) {
                failed(failure);
            }
        }
    }

    /**
     * The driver can see the answers: {@link IommuListener#batchPublished}.
     *
     * @param requests how many were answered
     */
    public void batchPublished(int requests) {
        for (int i = 0; i < all.length; i++) {
            try {
                all[i].batchPublished(requests);
            } catch (Throwable failure) {
                failed(failure);
            }
        }
    }

    /** All requests that were available are served: {@link IommuListener#kicked}. */
    public void kicked() {
        for (int i = 0; i < all.length; i++) {
            try {
                all[i].kicked();
            } catch (Throwable failure) {
                failed(failure);
            }
        }
    }

    /**
     * A fault was taken and waits for a buffer: {@link IommuListener#faulted}.
     *
     * @param endpoint the id of the endpoint that tried
     * @param iova     the I/O-virtual address
     * @param access   what was tried
     */
    public void faulted(int endpoint, long iova, Access access) {
        for (int i = 0; i < all.length; i++) {
            try {
                all[i].faulted(endpoint, iova, access);
            } catch (Throwable failure) {
                failed(failure);
            }
        }
    }

    /**
     * A fault was written to a buffer: {@link IommuListener#reported}.
     *
     * @param reason   one of the reasons of {@link org.virtio4j.wire.iommu.FaultEvent}
     * @param flags    the flags of the event
     * @param endpoint the id of the endpoint that tried
     * @param address  the I/O-virtual address
     */
    public void reported(int reason, int flags, int endpoint, long address) {
        for (int i = 0; i < all.length; i++) {
            try {
                all[i].reported(reason, flags, endpoint, address);
            } catch (Throwable failure) {
                failed(failure);
            }
        }
    }

    private void tell(Consumer<IommuListener> event) {
        for (IommuListener listener : all) {
            try {
                event.accept(listener);
            } catch (Throwable failure) {
                failed(failure);
            }
        }
    }

    /** Called under different locks, or under none. */
    private void failed(Throwable failure) {
        if (failure instanceof VirtualMachineError serious) {
            throw serious;
        }
        lastFailure = failure;
        failures.incrementAndGet();
    }
}
