// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.fault;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import org.virtio4j.device.DeviceContext;
import org.virtio4j.device.QueueLoop;
import org.virtio4j.device.QueueWork;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.dma.translate.TranslateResult;
import org.virtio4j.iommu.observe.IommuListeners;
import org.virtio4j.iommu.observe.IommuTally;
import org.virtio4j.queue.Chain;
import org.virtio4j.vmm.Access;
import org.virtio4j.vmm.LittleEndian;
import org.virtio4j.wire.iommu.FaultEvent;

/**
 * Reports faults to the driver (virtio 1.4, section 5.13.6.9). Any thread reports, outside its section. What waits is
 * guarded by the turns of the loop, which come last in the order of locks.
 *
 * <p>Linux fills the queue without a kick, so each report looks at the ring. Faults that find no buffer wait, up to
 * {@link #PENDING} of them; the rest is counted as lost.
 */
public final class EventQueue implements QueueWork {

    /** Index of the event queue (virtio 1.4, section 5.13.2). */
    public static final int INDEX = 1;
    private static final int PENDING = 64;

    private final IommuTally counters;
    private final IommuListeners listeners;
    private final QueueLoop loop = QueueLoop.inTurns(INDEX, this);
    private final MemorySegment event = Arena.ofAuto().allocate(FaultEvent.SIZE, Long.BYTES);

    /** Faults that wait for a buffer: a ring of events as they will be written. */
    private final long[] addresses = new long[PENDING];
    private final int[] endpoints = new int[PENDING];
    private final int[] reasons = new int[PENDING];
    private final int[] flags = new int[PENDING];

    /** Whether the listeners know of the fault, and so are to know of its report. */
    private final boolean[] known = new boolean[PENDING];
    private int first;
    private int count;

    /** Whether there is something to write; read without a turn by a thread that polls. */
    private volatile boolean waits;

    private volatile @Nullable DeviceContext context;

    /**
     * Starts without an activation: until {@link #activate}, each fault counts as lost.
     *
     * @param counters  counts what is reported, repeated and lost
     * @param listeners told of faults and of their reports
     */
    public EventQueue(IommuTally counters, IommuListeners listeners) {
        this.counters = counters;
        this.listeners = listeners;
    }

    /**
     * The loop that serves the event queue.
     *
     * @return the same each time
     */
    public QueueLoop loop() {
        return loop;
    }

    /**
     * Keeps and writes faults from now on; the loop is started, too. Called under the control lock.
     *
     * @param active the activation whose event queue is written
     */
    public void activate(DeviceContext active) {
        context = active;
    }

    /** Takes no more faults; the loop is stopped, too. Any thread. */
    public void stop() {
        context = null;
    }

    /**
     * Waits until no other thread reports. Called under no lock.
     *
     * @return false if the caller is a callback of a report, which would wait for itself
     */
    public boolean awaitFree() {
        boolean begun = loop.beginTurn();
        if (begun) {
            loop.endTurn();
        }
        return begun;
    }

    /**
     * Drops the faults that wait for a buffer and counts them as lost. Called under the control lock; waits for the
     * turn.
     */
    public void reset() {
        boolean begun = loop.beginTurn();
        counters.lostFaults(count);
        count = 0;
        waits = false;
        if (begun) {
            loop.endTurn();
        }
    }

    /**
     * Drops the faults of an endpoint that wait for a buffer and counts them as lost. Called under the control lock;
     * waits for the turn.
     *
     * @param endpoint the id of an endpoint that was unplugged
     */
    public void drop(int endpoint) {
        boolean begun = loop.beginTurn();
        int kept = 0;
        for (int i = 0; i < count; i++) {
            int from = (first + i) % PENDING;
            if (endpoints[from] != endpoint) {
                move(from, (first + kept) % PENDING);
                kept++;
            }
        }
        counters.lostFaults(count - kept);
        count = kept;
        waits = count > 0;
        if (begun) {
            loop.endTurn();
        }
    }

    private void move(int from, int to) {
        addresses[to] = addresses[from];
        endpoints[to] = endpoints[from];
        reasons[to] = reasons[from];
        flags[to] = flags[from];
        known[to] = known[from];
    }

    /** Takes a fault and writes what waits, in one turn. */
    void report(FaultSource where, TranslateResult reason, long iova, Access access) {
        boolean begun = loop.beginTurn();
        boolean taken = false;
        try {
            take(where, reason, iova, access, true);
            taken = true;
        } finally {
            if (begun && !taken) {
                loop.endTurn();
            }
        }
        if (begun) {
            loop.serveTurn();
        }
    }

    /** Takes a fault, which listeners are to know of or not; {@link #deliver} must follow. */
    void add(FaultSource where, TranslateResult reason, long iova, Access access, boolean told) {
        boolean begun = loop.beginTurn();
        try {
            take(where, reason, iova, access, told);
        } finally {
            if (begun) {
                loop.endTurn();
            }
        }
    }

    private void take(FaultSource where, TranslateResult reason, long iova, Access access, boolean told) {
        // Unplugging marks the endpoint before it waits for a turn to drop what is here.
        if (context == null || !where.isPlugged()) {
            counters.lostFaults(1);
            return;
        }
        int endpoint = where.endpoint();
        boolean kept = append(endpoint, reasonOf(reason), FaultEvent.FLAG_ADDRESS | access.mask(), iova, told);
        if (kept && told) {
            listeners.faulted(endpoint, iova, access);
        }
    }

    /**
     * Writes the faults that wait into the buffers there are. Called under no lock; waits for the turn, because there
     * is little room for faults that stay.
     */
    public void deliver() {
        if (loop.beginTurn()) {
            loop.serveTurn();
        }
    }

    /**
     * Writes the faults that wait into buffers that came without a notification. If no fault waits, the ring is not
     * read: Linux always has buffers there. Called under no lock.
     *
     * @return how many buffers were given back; 0 while another thread serves
     */
    public int poll() {
        return waits ? loop.poll() : 0;
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
        waits = true;
        return true;
    }

    // QueueWork, in a turn

    @Override
    public int batch() {
        return PENDING;
    }

    /** While faults wait, the next buffer must be noticed when it comes; else there is no use for one. */
    @Override
    public int room() {
        return count;
    }

    @Override
    public boolean answersAtOnce() {
        return true;
    }

    @Override
    public void take(int slot, Chain chain) {
        // There is nothing to read.
    }

    @Override
    public boolean work(int taken, QueueLoop serving) {
        return true;
    }

    /** A buffer too small for a report goes back unused: one report is never spread over several. */
    @Override
    public boolean answer(int slot, Chain chain) {
        return count == 0 || chain.writableLength() < FaultEvent.SIZE || writeFirst(chain);
    }

    /** False if the buffer is out of reach for a while, or for good: the fault stays for it, or for another. */
    private boolean writeFirst(Chain chain) {
        event.fill((byte) 0);
        LittleEndian.putU8(event, FaultEvent.REASON, reasons[first]);
        LittleEndian.putI32(event, FaultEvent.FLAGS, flags[first]);
        LittleEndian.putI32(event, FaultEvent.ENDPOINT, endpoints[first]);
        LittleEndian.putI64(event, FaultEvent.ADDRESS, addresses[first]);
        DmaResult result = chain.write(0, event, 0, FaultEvent.SIZE);
        if (result == DmaResult.CLOSED) {
            return false;
        }
        int written = first;
        first = (first + 1) % PENDING;
        count--;
        waits = count > 0;
        if (result == DmaResult.OK) {
            counters.reportedFault();
            tell(written);
        } else {
            counters.lostFaults(1);
        }
        return true;
    }

    private void tell(int written) {
        if (known[written]) {
            listeners.reported(reasons[written], flags[written], endpoints[written], addresses[written]);
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
