// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.observe;

import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLongArray;
import org.virtio4j.iommu.embedder.IommuCounters;
import org.virtio4j.vmm.grace.GracePeriods;
import org.virtio4j.wire.iommu.RequestStatus;
import org.virtio4j.wire.iommu.RequestType;

/**
 * The counters as the device keeps them. The methods that count need the control lock, those for faults a turn of the
 * event queue instead. Reading needs no lock.
 */
public final class IommuTally implements IommuCounters {

    private static final int TYPES = 6;
    private static final int STATUSES = 9;

    private static final int REFUSED = TYPES + STATUSES;
    private static final int REMOVED = REFUSED + 1;
    private static final int BATCHES = REFUSED + 2;
    private static final int REPORTED = REFUSED + 3;
    private static final int LOST = REFUSED + 4;
    private static final int REPEATED = REFUSED + 5;
    private static final int UNWRITABLE = REFUSED + 6;
    private static final int DOORBELLS = REFUSED + 7;

    private static final int SERVED = BATCHES + 1;

    private final AtomicLongArray counts = new AtomicLongArray(DOORBELLS + 1);

    /** What the control lock's holder counts, shown to others once a batch. */
    private final long[] served = new long[SERVED];

    /** Who counts translations. */
    private final GracePeriods readers;

    /** Who counts what the listeners throw. */
    private final IommuListeners listeners;

    /**
     * Starts at zero.
     *
     * @param readers   count translations and cache hits
     * @param listeners count what observers throw
     */
    public IommuTally(GracePeriods readers, IommuListeners listeners) {
        this.readers = readers;
        this.listeners = listeners;
    }

    @Override
    public long requests(int type) {
        return type > 0 && type < TYPES ? counts.get(type) : 0;
    }

    @Override
    public long statuses(int status) {
        return status >= 0 && status < STATUSES ? counts.get(TYPES + status) : 0;
    }

    @Override
    public long unanswered() {
        return counts.get(REFUSED);
    }

    @Override
    public long unwritableReplies() {
        return counts.get(UNWRITABLE);
    }

    @Override
    public long removedMappings() {
        return counts.get(REMOVED);
    }

    @Override
    public long unreservedDoorbells() {
        return counts.get(DOORBELLS);
    }

    @Override
    public long batches() {
        return counts.get(BATCHES);
    }

    @Override
    public long translations() {
        return readers.translations();
    }

    @Override
    public long cacheHits() {
        return readers.cacheHits();
    }

    @Override
    public long reportedFaults() {
        return counts.get(REPORTED);
    }

    @Override
    public long lostFaults() {
        return counts.get(LOST);
    }

    @Override
    public long repeatedFaults() {
        return counts.get(REPEATED);
    }

    @Override
    public long listenerFailures() {
        return listeners.failures();
    }

    @Override
    public Optional<Throwable> lastListenerFailure() {
        return Optional.ofNullable(listeners.lastFailure());
    }

    @Override
    public String toString() {
        StringBuilder others = new StringBuilder();
        for (int status = 1; status < STATUSES; status++) {
            if (statuses(status) != 0) {
                others.append(String.format(Locale.ROOT, ", %s %,d", RequestStatus.name(status), statuses(status)));
            }
        }
        return String.format(Locale.ROOT, "ATTACH %,d, DETACH %,d, MAP %,d, UNMAP %,d of %,d mappings, PROBE %,d,"
                + " in %,d batches%s; %,d unanswered, %,d unwritable; translations %,d, cached %,d; faults reported"
                + " %,d, repeated %,d, lost %,d; unreserved doorbells %,d; listener failures %,d",
                requests(RequestType.ATTACH), requests(RequestType.DETACH), requests(RequestType.MAP),
                requests(RequestType.UNMAP), removedMappings(), requests(RequestType.PROBE), batches(), others,
                unanswered(), unwritableReplies(), translations(), cacheHits(), reportedFaults(), repeatedFaults(),
                lostFaults(), unreservedDoorbells(), listenerFailures());
    }

    // Under the control lock

    /**
     * Counts a request that gets a status. Shown by the next {@link #batch}.
     *
     * @param type    one of {@link RequestType}
     * @param status  one of {@link RequestStatus}
     * @param removed how many mappings it removed; ignored unless it is an UNMAP
     */
    public void answered(int type, int status, long removed) {
        served[type]++;
        served[TYPES + status]++;
        if (type == RequestType.UNMAP) {
            served[REMOVED] += removed;
        }
    }

    /** Counts a request that was not understood and gets no status. Shown by the next {@link #batch}. */
    public void refused() {
        served[REFUSED]++;
    }

    /**
     * Counts a batch and shows what its requests counted. Release stores are enough and cost nothing once a batch; once
     * a request they were a fifth of its time.
     */
    public void batch() {
        served[BATCHES]++;
        for (int i = 0; i < SERVED; i++) {
            counts.setRelease(i, served[i]);
        }
    }

    /** Counts a MAP of a doorbell that no reserved region holds. */
    public void unreservedDoorbell() {
        increase(DOORBELLS, 1);
    }

    /** Counts an answer whose buffer the device could not write. */
    public void unwritable() {
        increase(UNWRITABLE, 1);
    }

    // In a turn of the event queue

    /** Counts a fault that was written to a buffer of the driver. */
    public void reportedFault() {
        increase(REPORTED, 1);
    }

    /**
     * Counts faults that are reported to no driver.
     *
     * @param faults how many; may be 0
     */
    public void lostFaults(int faults) {
        increase(LOST, faults);
    }

    /** Counts a fault that is the same as the last one that waits, and so is not reported again. */
    public void repeatedFault() {
        increase(REPEATED, 1);
    }

    private void increase(int index, long by) {
        counts.setRelease(index, counts.getPlain(index) + by);
    }
}
