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

    public IommuListeners(List<IommuListener> listeners) {
        this.all = listeners.toArray(IommuListener[]::new);
        this.recordTraffic = listeners.stream().anyMatch(IommuListener::recordsTraffic);
    }

    public boolean isEmpty() {
        return all.length == 0;
    }

    /** Whether one of them records traffic. */
    public boolean recordTraffic() {
        return recordTraffic;
    }

    long failures() {
        return failures.get();
    }

    @Nullable Throwable lastFailure() {
        return lastFailure;
    }

    public void negotiated(Features accepted) {
        tell(listener -> listener.negotiated(accepted));
    }

    public void activated(int requestQueueSize, int eventQueueSize) {
        tell(listener -> listener.activated(requestQueueSize, eventQueueSize));
    }

    public void reset(ResetKind kind) {
        tell(listener -> listener.reset(kind));
    }

    public void bypassWritten(boolean on) {
        tell(listener -> listener.bypassWritten(on));
    }

    public void stalled(String holder, long waitedNanos) {
        tell(listener -> listener.stalled(holder, waitedNanos));
    }

    public void unreservedDoorbell(int endpoint, long virtStart, long physStart) {
        tell(listener -> listener.unreservedDoorbell(endpoint, virtStart, physStart));
    }

    public void served(ServedRequest request) {
        for (int i = 0; i < all.length; i++) {
            try {
                all[i].served(request);
            } catch (Throwable failure) {
                failed(failure);
            }
        }
    }

    public void batchPublished(int requests) {
        for (int i = 0; i < all.length; i++) {
            try {
                all[i].batchPublished(requests);
            } catch (Throwable failure) {
                failed(failure);
            }
        }
    }

    public void kicked() {
        for (int i = 0; i < all.length; i++) {
            try {
                all[i].kicked();
            } catch (Throwable failure) {
                failed(failure);
            }
        }
    }

    public void faulted(int endpoint, long iova, Access access) {
        for (int i = 0; i < all.length; i++) {
            try {
                all[i].faulted(endpoint, iova, access);
            } catch (Throwable failure) {
                failed(failure);
            }
        }
    }

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
