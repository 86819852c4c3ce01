// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.quota;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import org.virtio4j.benchmarks.fixture.IommuGuest;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.wire.iommu.RequestStatus;

/**
 * Asks for more mappings than its IOMMU's limit, each of one page with a gap behind it, 64 a doorbell. What the device
 * does is timed as a whole: the doorbells of one quota.
 */
final class GreedyGuest implements AutoCloseable {

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private final int limit;
    private final IommuGuest guest;
    private long refused;
    private long allocated;
    private long doorbellNanos;

    /**
     * Sets the guest up.
     *
     * @param limit most mappings; a multiple of {@link IommuGuest#BATCH}
     */
    GreedyGuest(int limit) {
        this.limit = limit;
        this.guest = IommuGuest.behindMmio(limit);
    }

    /** Tries to map as many pages as the limit says, which no attempt before named. */
    void fill(int quota) {
        long before = THREADS.getCurrentThreadAllocatedBytes();
        doorbellNanos = 0;
        long first = (long) quota * limit;
        for (long index = first; index < first + limit; index += IommuGuest.BATCH) {
            fillBatch(index);
        }
        allocated = THREADS.getCurrentThreadAllocatedBytes() - before;
    }

    private void fillBatch(long first) {
        for (long index = first; index < first + IommuGuest.BATCH; index++) {
            long start = 2 * index * GuestMemory.PAGE_SIZE;
            guest.placeMap(start, start + GuestMemory.PAGE_SIZE - 1, start);
        }
        long begin = System.nanoTime();
        guest.serveAll();
        doorbellNanos += System.nanoTime() - begin;
        refused += guest.countAnswers(RequestStatus.NOMEM);
    }

    /** Takes everything away by one request. */
    void unmapAll() {
        guest.placeUnmap(0, -1);
        guest.flush();
    }

    /** How many requests were answered with {@code NOMEM}. */
    long refused() {
        return refused;
    }

    /** Heap memory that the latest {@link #fill} allocated, in bytes. */
    long allocated() {
        return allocated;
    }

    /** What each request of the latest {@link #fill} took. */
    double nanosPerRequest() {
        return (double) doorbellNanos / limit;
    }

    long liveMappings() {
        return guest.liveMappings();
    }

    long tableBytes() {
        return guest.tableBytes();
    }

    @Override
    public void close() {
        guest.close();
    }
}
