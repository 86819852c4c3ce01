// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import java.util.Locale;
import java.util.concurrent.atomic.AtomicLongArray;
import org.virtio4j.vmm.Readers;
import org.virtio4j.wire.iommu.RequestStatus;
import org.virtio4j.wire.iommu.RequestType;

/**
 * What an IOMMU has done since it was made; resets do not clear it. Any thread may read, at any time; the numbers only
 * grow.
 */
public final class IommuCounters {

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

    /** Those who translate, and count that themselves. */
    private final Readers readers;

    IommuCounters(Readers readers) {
        this.readers = readers;
    }

    /**
     * Requests of one type that were answered with a status.
     *
     * @param type one of {@link org.virtio4j.wire.iommu.RequestType}
     * @return a count; 0 for a type that does not exist
     */
    public long requests(int type) {
        return type > 0 && type < TYPES ? counts.get(type) : 0;
    }

    /**
     * Requests that were answered with one status.
     *
     * @param status one of {@link org.virtio4j.wire.iommu.RequestStatus}
     * @return a count; 0 for a status that does not exist
     */
    public long statuses(int status) {
        return status >= 0 && status < STATUSES ? counts.get(TYPES + status) : 0;
    }

    /**
     * Requests that went back unwritten: of unknown type, or too short.
     *
     * @return a count
     */
    public long unanswered() {
        return counts.get(REFUSED);
    }

    /**
     * Requests that were carried out, but whose answer could not be written where the driver wanted it.
     *
     * @return a count
     */
    public long unwritableReplies() {
        return counts.get(UNWRITABLE);
    }

    /**
     * Mappings that UNMAP requests removed.
     *
     * @return a count
     */
    public long removedMappings() {
        return counts.get(REMOVED);
    }

    /**
     * MAP requests that {@link RequestListener#unreservedDoorbell} is about, all of them.
     *
     * @return a count
     */
    public long unreservedDoorbells() {
        return counts.get(DOORBELLS);
    }

    /**
     * Batches of requests, each made visible by one store of the used index.
     *
     * @return a count
     */
    public long batches() {
        return counts.get(BATCHES);
    }

    /**
     * Addresses that the devices behind it have looked up: one for each piece of a transfer that is contiguous after
     * translation, refused ones included.
     *
     * @return a count
     */
    public long translations() {
        return readers.translations();
    }

    /**
     * Translations that a device remembered, so that the mapping table was not asked.
     *
     * @return a count
     */
    public long cacheHits() {
        return readers.cacheHits();
    }

    /**
     * Faults that were written to the event queue.
     *
     * @return a count
     */
    public long reportedFaults() {
        return counts.get(REPORTED);
    }

    /**
     * Faults that no driver will hear of, because no buffer was there and too many were waiting already, or no driver
     * was.
     *
     * @return a count
     */
    public long lostFaults() {
        return counts.get(LOST);
    }

    /**
     * Faults that were the same as the one waiting before them, and so are told once.
     *
     * @return a count
     */
    public long repeatedFaults() {
        return counts.get(REPEATED);
    }

    /**
     * All of it on one line, for a log. Its form may change.
     *
     * @return words and numbers
     */
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
                + " %,d, repeated %,d, lost %,d; unreserved doorbells %,d",
                requests(RequestType.ATTACH), requests(RequestType.DETACH), requests(RequestType.MAP),
                requests(RequestType.UNMAP), removedMappings(), requests(RequestType.PROBE), batches(), others,
                unanswered(), unwritableReplies(), translations(), cacheHits(), reportedFaults(), repeatedFaults(),
                lostFaults(), unreservedDoorbells());
    }

    // The control lock's holder is the only one to call the next ones.

    void answered(int type, int status, long removed) {
        served[type]++;
        served[TYPES + status]++;
        served[REMOVED] += removed;
    }

    void refused() {
        served[REFUSED]++;
    }

    /**
     * Ends a batch. Release stores are enough, and once a batch they cost nothing; once a request they were a fifth.
     */
    void batch() {
        served[BATCHES]++;
        for (int i = 0; i < SERVED; i++) {
            counts.setRelease(i, served[i]);
        }
    }

    void unreservedDoorbell() {
        increase(DOORBELLS, 1);
    }

    void unwritable() {
        increase(UNWRITABLE, 1);
    }

    // The event lock's holder is the only one to write the last ones.

    void reportedFault() {
        increase(REPORTED, 1);
    }

    void lostFaults(int faults) {
        increase(LOST, faults);
    }

    void repeatedFault() {
        increase(REPEATED, 1);
    }

    private void increase(int index, long by) {
        counts.setRelease(index, counts.getPlain(index) + by);
    }
}
