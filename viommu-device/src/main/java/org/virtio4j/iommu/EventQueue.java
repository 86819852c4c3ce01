// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.virtio4j.device.DeviceContext;
import org.virtio4j.queue.Chain;
import org.virtio4j.queue.DeviceQueue;
import org.virtio4j.queue.QueueFailure;
import org.virtio4j.vmm.Access;
import org.virtio4j.vmm.DmaResult;
import org.virtio4j.vmm.LittleEndian;
import org.virtio4j.vmm.TranslateResult;
import org.virtio4j.wire.iommu.FaultEvent;

/**
 * Reports faults to the driver (virtio 1.4, section 5.13.6.9). Any thread reports, outside its section; an own lock
 * keeps them apart, and it is the last in the order of locks.
 *
 * <p>Linux fills the queue without a kick, so each report looks at the ring. Faults that find no buffer wait, up to
 * {@link #PENDING} of them; the rest is counted as lost.
 */
final class EventQueue {

    static final int INDEX = 1;
    private static final int PENDING = 64;

    private final ReentrantLock lock = new ReentrantLock();
    private final IommuCounters counters;
    private final @Nullable TrafficListener traffic;
    private Chain chain = new Chain();
    private final MemorySegment event = Arena.ofAuto().allocate(FaultEvent.SIZE, Long.BYTES);

    /** Faults that wait for a buffer: a ring of events as they will be written. */
    private final long[] addresses = new long[PENDING];
    private final int[] endpoints = new int[PENDING];
    private final int[] reasons = new int[PENDING];
    private final int[] flags = new int[PENDING];

    /** Whether the listener knows of the fault, and so is to know of its report. */
    private final boolean[] known = new boolean[PENDING];
    private int first;
    private int count;

    private volatile @Nullable DeviceContext context;

    EventQueue(IommuCounters counters, @Nullable TrafficListener traffic) {
        this.counters = counters;
        this.traffic = traffic;
    }

    void activate(DeviceContext active) {
        context = active;
    }

    /** Forgets what waits; when it returns, nobody is writing an event any more. */
    void reset() {
        lock.lock();
        try {
            context = null;
            counters.lostFaults(count);
            count = 0;
        } finally {
            lock.unlock();
        }
    }

    /** Takes a fault, and tells somebody if it is kept; {@link #deliver} must follow. */
    void add(int endpoint, TranslateResult reason, long iova, Access access, @Nullable TrafficListener told) {
        lock.lock();
        try {
            if (context == null) {
                counters.lostFaults(1);
                return;
            }
            boolean kept = append(endpoint, reasonOf(reason), FaultEvent.FLAG_ADDRESS | access.mask(), iova,
                    told != null);
            if (kept && told != null) {
                told.faulted(endpoint, iova, access);
            }
        } finally {
            lock.unlock();
        }
    }

    /** Writes what waits into the buffers there are, and tells the driver under no lock. */
    void deliver() {
        DeviceContext active;
        boolean interrupt = false;
        boolean failed = false;
        lock.lock();
        try {
            active = context;
            DeviceQueue queue = active == null || count == 0 ? null : active.queue(INDEX);
            if (queue != null) {
                interrupt = fill(queue);
                failed = queue.failure() != QueueFailure.NONE;
            }
        } finally {
            lock.unlock();
        }
        if (active != null && interrupt) {
            active.interrupt(INDEX);
        }
        if (active != null && failed) {
            active.queueFailed(INDEX);
        }
    }

    private boolean append(int endpoint, int reason, int flag, long address, boolean told) {
        int last = (first + count - 1) % PENDING;
        if (count > 0 && addresses[last] == address && endpoints[last] == endpoint && reasons[last] == reason
                && flags[last] == flag) {
            counters.repeatedFault();
            return false;
        }
        if (count == PENDING) {
            counters.lostFaults(1);
            return false;
        }
        int next = (first + count) % PENDING;
        addresses[next] = address;
        endpoints[next] = endpoint;
        reasons[next] = reason;
        flags[next] = flag;
        known[next] = told;
        count++;
        return true;
    }

    /** Looks at twice the ring at most: a driver may add buffers of no use as fast as they come back. */
    private boolean fill(DeviceQueue queue) {
        int left = 2 * queue.size();
        do {
            left -= fillOnce(queue, left);
            // While faults wait, the next buffer must be noticed when it comes.
        } while (count > 0 && queue.enableNotifications() && left > 0);
        return queue.publish();
    }

    private int fillOnce(DeviceQueue queue, int most) {
        int taken = 0;
        queue.enter();
        try {
            while (count > 0 && taken < most && queue.poll(chain)) {
                taken++;
                // A buffer too small for a report goes back unused: one report is never spread over several.
                if (chain.writableLength() >= FaultEvent.SIZE) {
                    writeFirst();
                }
                queue.complete(chain);
            }
        } catch (InternalError cutShort) {
            // The guest's memory was: the slot must be free for the next queue.
            chain = new Chain();
            throw cutShort;
        } finally {
            queue.leave();
        }
        return taken;
    }

    private void writeFirst() {
        event.fill((byte) 0);
        LittleEndian.putU8(event, FaultEvent.REASON, reasons[first]);
        LittleEndian.putI32(event, FaultEvent.FLAGS, flags[first]);
        LittleEndian.putI32(event, FaultEvent.ENDPOINT, endpoints[first]);
        LittleEndian.putI64(event, FaultEvent.ADDRESS, addresses[first]);
        if (chain.write(0, event, 0, FaultEvent.SIZE) == DmaResult.OK) {
            counters.reportedFault();
            tell();
        } else {
            counters.lostFaults(1);
        }
        first = (first + 1) % PENDING;
        count--;
    }

    private void tell() {
        if (traffic != null && known[first]) {
            traffic.reported(reasons[first], flags[first], endpoints[first], addresses[first]);
        }
    }

    private static int reasonOf(TranslateResult result) {
        return switch (result) {
            case NO_DOMAIN -> FaultEvent.REASON_DOMAIN;
            case NO_MAPPING, NOT_PERMITTED -> FaultEvent.REASON_MAPPING;
            case OK -> FaultEvent.REASON_UNKNOWN;
        };
    }
}
