// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vmm.grace;

import java.lang.invoke.VarHandle;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The readers of one thing that can be taken away (a memory map, the mappings of an IOMMU), and the wait until none of
 * them uses what was taken.
 *
 * <p>A reader enters by storing into its slot and fencing; a writer unlinks, fences, and then looks at every slot. Of
 * the two fences one comes first: either the writer sees the reader inside and waits for it, or the reader's loads come
 * after the unlinking and cannot reach what was unlinked. A reader neither waits nor retries.
 *
 * <p>Sections are short by contract, so the wait spins first and sleeps briefly later. It never gives up and never
 * interrupts a reader. After a limit it tells the {@link StallListener} which reader it waits for, and goes on waiting.
 * A thread that waits inside its own section waits forever; that is a bug of the caller, and the listener names it.
 * What the listener throws comes out when the wait is over.
 *
 * <p>Each reader counts for itself what it looks up, so that counting costs it one store; the sums are made when they
 * are asked for.
 *
 * <p>All methods may be called from any thread.
 */
public final class GracePeriods {

    private final StallListener listener;
    private final AtomicLong stalls = new AtomicLong();
    private volatile ReaderSlot[] slots = new ReaderSlot[0];

    /** Guards changes of members, and what follows. */
    private final ReentrantLock changes = new ReentrantLock();

    /** What those counted that are no readers any more. */
    private long formerWalks;
    private long formerCacheHits;

    /**
     * Starts with no reader.
     *
     * @param listener hears of sections that last longer than a wait's limit
     */
    public GracePeriods(StallListener listener) {
        this.listener = listener;
    }

    /**
     * Makes a reader known; it must not be inside a section.
     *
     * @param slot a slot that is not a member yet
     */
    public void add(ReaderSlot slot) {
        changes.lock();
        try {
            ReaderSlot[] more = Arrays.copyOf(slots, slots.length + 1);
            more[slots.length] = slot;
            slots = more;
        } finally {
            changes.unlock();
        }
    }

    /**
     * Removes a reader; does nothing when it is no member.
     *
     * @param slot the slot of a reader that enters no section any more
     * @return whether it was a member
     */
    public boolean remove(ReaderSlot slot) {
        changes.lock();
        try {
            ReaderSlot[] others = Arrays.stream(slots).filter(other -> other != slot).toArray(ReaderSlot[]::new);
            boolean member = others.length < slots.length;
            if (member) {
                slots = others;
                formerWalks += slot.walks();
                formerCacheHits += slot.cacheHits();
            }
            return member;
        } finally {
            changes.unlock();
        }
    }

    /**
     * The grace period: returns when every section that was open at the call, or might still see what the caller
     * unlinked before it, has been left.
     *
     * @param limit how long to wait before the first report
     */
    public void awaitAll(Duration limit) {
        awaitAll(limit.toNanos());
    }

    /**
     * The same, with a limit in nanoseconds, for callers that may not allocate.
     *
     * @param limitNanos how long to wait before the first report, in nanoseconds
     */
    public void awaitAll(long limitNanos) {
        // The unlinking must be visible before the slots are read; pairs with the fence of ReaderSection.enter.
        VarHandle.fullFence();
        ReaderSlot[] members = slots;
        try {
            awaitEach(members, limitNanos);
        } catch (RuntimeException | Error thrown) {
            // The listener's. What was unlinked is in use all the same, so the wait goes on, and nobody is told again.
            awaitEach(members, Long.MAX_VALUE);
            throw thrown;
        }
    }

    private void awaitEach(ReaderSlot[] members, long limitNanos) {
        for (int i = 0; i < members.length; i++) {
            ReaderSlot slot = members[i];
            long ticket = slot.ticket();
            if (ReaderSlot.isInside(ticket)) {
                awaitOne(slot, ticket, limitNanos);
            }
        }
    }

    /**
     * How many readers there are.
     *
     * @return a count as of now
     */
    public int count() {
        return slots.length;
    }

    /**
     * How many waits went over their limit.
     *
     * @return a count that only grows
     */
    public long stalls() {
        return stalls.get();
    }

    /**
     * How many addresses all readers so far have looked up.
     *
     * @return a count that only grows
     */
    public long translations() {
        changes.lock();
        try {
            long sum = formerWalks + formerCacheHits;
            for (ReaderSlot slot : slots) {
                sum += slot.walks() + slot.cacheHits();
            }
            return sum;
        } finally {
            changes.unlock();
        }
    }

    /**
     * How many of the {@link #translations} were answered by what the reader remembered, from the one before or from an
     * earlier section.
     *
     * @return a count that only grows
     */
    public long cacheHits() {
        changes.lock();
        try {
            long sum = formerCacheHits;
            for (ReaderSlot slot : slots) {
                sum += slot.cacheHits();
            }
            return sum;
        } finally {
            changes.unlock();
        }
    }

    /**
     * Waits for one reader alone, fenced like {@link #awaitAll(long)}: returns when the section that it is in at the
     * call has been left.
     *
     * @param slot       the reader's slot
     * @param limitNanos how long to wait before the report, in nanoseconds
     */
    public void awaitSlot(ReaderSlot slot, long limitNanos) {
        VarHandle.fullFence();
        long ticket = slot.ticket();
        if (ReaderSlot.isInside(ticket)) {
            try {
                awaitOne(slot, ticket, limitNanos);
            } catch (RuntimeException | Error thrown) {
                awaitOne(slot, ticket, Long.MAX_VALUE);
                throw thrown;
            }
        }
    }

    private void awaitOne(ReaderSlot slot, long ticket, long limitNanos) {
        long started = System.nanoTime();
        boolean reported = false;
        for (int round = 0; slot.ticket() == ticket; round++) {
            Backoff.pause(round);
            if (!reported && System.nanoTime() - started > limitNanos) {
                reported = true;
                stalls.incrementAndGet();
                listener.stalled(slot.holder(), System.nanoTime() - started);
            }
        }
    }
}
