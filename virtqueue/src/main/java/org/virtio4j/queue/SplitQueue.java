// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.queue;

import java.lang.invoke.VarHandle;
import org.virtio4j.dma.DmaCursor;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.vmm.Access;
import org.virtio4j.wire.AvailableRing;
import org.virtio4j.wire.SplitDescriptor;
import org.virtio4j.wire.UsedRing;

/**
 * The device's side of a split virtqueue (virtio 1.4, section 2.7).
 *
 * <p>For each batch the available index is loaded once with acquire, and loaded again when all it promised was taken;
 * the used index is stored once with release; each notification decision is one full fence. Indexes run modulo 2^16 and
 * are kept here in full, so what the driver writes into its own copy of the used ring changes nothing.
 */
public final class SplitQueue implements DeviceQueue {

    private static final int INDEX_MASK = 0xffff;

    /** So often a driver may move its index while it is asked to notify; an honest one hardly ever does once. */
    private static final int MOST_WISHES = 1_000;

    /** Half the way round: as far as an index can be from those that a driver adds at and those it added at. */
    private static final int FARTHEST = 0x8000;

    private final QueueSettings settings;
    private final DmaHandle dma;
    private final RingPart descriptors;
    private final RingPart available;
    private final RingPart used;
    private final ChainWalker walker;
    private final InFlight inFlight;
    private final BufferLease buffers;
    private final DmaCursor cursor = new DmaCursor();
    private final int size;
    private final long ringMask;
    private final boolean polled;

    /** The generation of memory and translation the parts were resolved under; see {@link #enter}. */
    private long leasedGeneration;
    private boolean leased;

    /**
     * The opening of the gate that the section belongs to, and whether buffers are in flight that were taken in another
     * one: each is asked from then on, which is not worth its time before. They never come back.
     */
    private long opening;
    private boolean older;

    /** Whether a section is open, and whether the ring may be touched in it. */
    private boolean inside;
    private boolean reachable;

    /**
     * The driver's index as last read, the next entry to take, the next to fill, and the used index the driver sees.
     */
    private int availableIndex;
    private int nextAvailable;
    private int nextUsed;
    private int publishedUsed;

    private boolean notificationsOff;

    /** Of a polled queue: available event as it was written, which the driver's index must not get to. */
    private int silentUntil;

    /** The volatile one is for others to see; the queue's own thread asks the plain one. */
    private volatile QueueFailure failure = QueueFailure.NONE;
    private boolean failed;

    /** Whether it failed for a reason that leaves no way to the ring at all. */
    private boolean gone;

    /**
     * Takes over a ring as a driver set it up, with all indexes at 0.
     *
     * @param settings the ring; size a power of two, areas aligned to 16, 2 and 4 bytes, as the life cycle checked
     * @param dma      a handle for this queue alone, closed with it
     */
    public SplitQueue(QueueSettings settings, DmaHandle dma) {
        this.settings = settings;
        this.dma = dma;
        int size = settings.size();
        this.descriptors = new RingPart(settings.descriptorArea(), size * SplitDescriptor.SIZE, Access.READ);
        this.available = new RingPart(settings.driverArea(), AvailableRing.size(size), Access.READ);
        this.used = new RingPart(settings.deviceArea(), UsedRing.size(size), Access.WRITE);
        this.walker = new ChainWalker(dma, size, settings.indirect());
        this.inFlight = new InFlight(size);
        this.buffers = new BufferLease(dma, settings.translated());
        this.size = size;
        this.ringMask = size - 1L;
        this.polled = settings.polled();
    }

    @Override
    public void enter() {
        dma.enter();
        inside = true;
        boolean entered = false;
        try {
            reachable = dma.live() && !gone && renewLease();
            if (dma.opening() != opening) {
                opening = dma.opening();
                older |= inFlight.count() > 0;
            }
            buffers.good(reachable && !older);
            entered = true;
        } finally {
            // A polled ring was written to, whose memory may have been cut short.
            if (!entered) {
                leave();
            }
        }
    }

    @Override
    public void leave() {
        try {
            buffers.good(false);
        } finally {
            // An error that the JVM has put off may come out of any call.
            reachable = false;
            inside = false;
            dma.leave();
        }
    }

    @Override
    public boolean poll(Chain into) {
        checkInside();
        into.checkEmpty();
        if (!reachable || failed || !isAvailable()) {
            return false;
        }
        int head = available.u16(AvailableRing.RING + (nextAvailable & ringMask) * AvailableRing.ENTRY_SIZE);
        if (head >= size) {
            return fail(QueueFailure.HEAD_OUT_OF_RANGE);
        }
        if (!inFlight.add(head)) {
            return fail(QueueFailure.HEAD_IN_FLIGHT);
        }
        into.begin(this, dma, buffers, head);
        QueueFailure broken = walker.walk(descriptors, head, into);
        if (broken != QueueFailure.NONE) {
            into.drop();
            // As if it had not been looked at, in case it is looked at again.
            inFlight.remove(head);
            return broken == QueueFailure.INDIRECT_UNREACHABLE ? failUnlessExchanging(broken) : fail(broken);
        }
        nextAvailable = (nextAvailable + 1) & INDEX_MASK;
        return true;
    }

    @Override
    public boolean hasAvailable() {
        checkInside();
        return reachable && !failed && isAvailable();
    }

    @Override
    public boolean pollOrEnable(Chain into) {
        return poll(into) || (enableNotifications() && poll(into));
    }

    @Override
    public void complete(Chain chain) {
        checkInside();
        long length = chain.writtenLength();
        boolean cutOff = older && chain.isCutOff();
        int head = chain.end(this);
        if (!reachable || cutOff) {
            return;
        }
        long element = UsedRing.RING + (nextUsed & ringMask) * UsedRing.ELEMENT_SIZE;
        used.putI32Pair(element + UsedRing.ELEMENT_ID, head, (int) length);
        inFlight.remove(head);
        nextUsed = (nextUsed + 1) & INDEX_MASK;
    }

    @Override
    public boolean publish() {
        if (nextUsed == publishedUsed) {
            return false;
        }
        if (inside) {
            return publishInside();
        }
        enter();
        try {
            return publishInside();
        } finally {
            leave();
        }
    }

    private boolean publishInside() {
        if (!reachable) {
            return false;
        }
        int before = publishedUsed;
        if (polled) {
            keepSilent();
        }
        // Release: a thread that sees the index sees the elements and their data.
        used.putU16Release(UsedRing.IDX, nextUsed);
        publishedUsed = nextUsed;
        // The index must be visible before the driver's wish is read, or both sides could decide to wait for the
        // other.
        VarHandle.fullFence();
        return driverWantsInterrupt(before);
    }

    @Override
    public void disableNotifications() {
        if (settings.eventIdx() || notificationsOff) {
            // With EVENT_IDX the driver notifies once it passes available event, which stays where it was.
            return;
        }
        if (inside) {
            disableInside();
            return;
        }
        enter();
        try {
            disableInside();
        } finally {
            leave();
        }
    }

    private void disableInside() {
        if (reachable) {
            used.putU16(UsedRing.FLAGS, UsedRing.FLAG_NO_NOTIFY);
            notificationsOff = true;
        }
    }

    @Override
    public boolean enableNotifications() {
        if (inside) {
            return enableInside();
        }
        enter();
        try {
            return enableInside();
        } finally {
            leave();
        }
    }

    private boolean enableInside() {
        return reachable && !failed && !polled && wishFrom(nextAvailable) != nextAvailable;
    }

    @Override
    public int handOver() {
        checkInside();
        if (!reachable || failed) {
            return 0;
        }
        if (polled) {
            return (available.u16Acquire(AvailableRing.IDX) - nextAvailable) & INDEX_MASK;
        }
        // With EVENT_IDX the driver notifies when it goes past the index that is asked for, so that must be where it
        // is: what it added before would else hide the rest. The flag of the other way has no such place.
        int asked = nextAvailable;
        int index = wishFrom(asked);
        for (int i = 0; settings.eventIdx() && index != asked && i < MOST_WISHES; i++) {
            asked = index;
            index = wishFrom(asked);
        }
        if (settings.eventIdx() && index != asked) {
            fail(QueueFailure.NEVER_AT_REST);
            return 0;
        }
        return (index - nextAvailable) & INDEX_MASK;
    }

    /** Asks to be notified of what the driver adds from an index on; returns the index as it is afterwards. */
    private int wishFrom(int index) {
        if (settings.eventIdx()) {
            used.putU16(UsedRing.availEvent(settings.size()), index);
        } else if (notificationsOff) {
            used.putU16(UsedRing.FLAGS, 0);
            notificationsOff = false;
        }
        // The wish must be visible before the index is read again, or a buffer added in between would never be noticed.
        VarHandle.fullFence();
        return available.u16Acquire(AvailableRing.IDX);
    }

    /** Asks for no notification, in a section in which the ring was found. */
    private void beSilent() {
        if (settings.eventIdx()) {
            writeSilence();
        } else {
            used.putU16(UsedRing.FLAGS, UsedRing.FLAG_NO_NOTIFY);
            notificationsOff = true;
        }
    }

    /**
     * With EVENT_IDX a driver ignores the flag, which must stay 0, and notifies when it adds at the index that
     * available event names (section 2.7.10). What is given back next lets it add up to the ring's size beyond that; so
     * the event is moved before it can get there, once in thousands of buffers.
     */
    private void keepSilent() {
        if (settings.eventIdx() && ((silentUntil - nextUsed) & INDEX_MASK) < size) {
            writeSilence();
        }
    }

    private void writeSilence() {
        silentUntil = (nextUsed + FARTHEST) & INDEX_MASK;
        used.putU16(UsedRing.availEvent(size), silentUntil);
    }

    @Override
    public boolean isReachable() {
        return reachable;
    }

    @Override
    public boolean isAway() {
        return (dma.live() || dma.paused()) && !reachable && !gone;
    }

    @Override
    public void giveUp() {
        fail(QueueFailure.GIVEN_UP);
        gone = true;
        if (inside) {
            leave();
        }
    }

    @Override
    public QueueFailure failure() {
        return failure;
    }

    @Override
    public int size() {
        return size;
    }

    @Override
    public void shut() {
        dma.shut();
    }

    @Override
    public void close() {
        dma.close();
    }

    private boolean isAvailable() {
        if (nextAvailable != availableIndex) {
            return true;
        }
        // Acquire: the entries and descriptors are read after the index that covers them.
        int index = available.u16Acquire(AvailableRing.IDX);
        int added = (index - nextAvailable) & INDEX_MASK;
        if (added > size - inFlight.count()) {
            return fail(QueueFailure.AVAILABLE_INDEX_AHEAD);
        }
        availableIndex = index;
        return added != 0;
    }

    /** Section 2.7.7.2: with EVENT_IDX whether the batch went over used_event, else the flag. */
    private boolean driverWantsInterrupt(int before) {
        if (!settings.eventIdx()) {
            return (available.u16(AvailableRing.FLAGS) & AvailableRing.FLAG_NO_INTERRUPT) == 0;
        }
        int event = available.u16(AvailableRing.usedEvent(settings.size()));
        return ((nextUsed - event - 1) & INDEX_MASK) < ((nextUsed - before) & INDEX_MASK);
    }

    /**
     * Whatever took memory or a mapping away moved the generation before it waited for this section, so an equal one
     * means that the leases hold until the section ends.
     */
    private boolean renewLease() {
        long generation = dma.generation();
        if (leased && generation == leasedGeneration) {
            return true;
        }
        leasedGeneration = generation;
        buffers.end();
        leased = descriptors.resolve(dma, cursor) == DmaResult.OK
                && available.resolve(dma, cursor) == DmaResult.OK
                && used.resolve(dma, cursor) == DmaResult.OK;
        if (leased && polled) {
            // Also when memory was exchanged: what lies there now may be something else.
            beSilent();
        }
        return leased || failUnlessExchanging(QueueFailure.RING_UNREACHABLE);
    }

    /** A ring that is away while memory is exchanged is not the driver's fault; the next kick looks again. */
    private boolean failUnlessExchanging(QueueFailure reason) {
        return dma.memoryComplete() && fail(reason);
    }

    private void checkInside() {
        if (!inside) {
            throw new IllegalStateException("section=none on the queue; call enter first");
        }
    }

    /** Keeps the first reason. Chains taken before can still be completed, unless the ring itself is gone. */
    private boolean fail(QueueFailure reason) {
        if (failure == QueueFailure.NONE || reason == QueueFailure.RING_UNREACHABLE) {
            failure = reason;
            failed = true;
            gone |= reason == QueueFailure.RING_UNREACHABLE;
        }
        return false;
    }
}
