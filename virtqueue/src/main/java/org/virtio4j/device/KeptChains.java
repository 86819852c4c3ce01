// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.queue.Chain;
import org.virtio4j.queue.DeviceQueue;

/**
 * The chains of one queue that their device answers later. There are never more than the ring has entries. Objects are
 * used again, so that keeping and completing allocates nothing once there are enough.
 *
 * <p>{@link #answered} and {@link #isServing} are called by any thread, all else by the thread that serves.
 */
final class KeptChains {

    private final QueueLoop loop;
    private final Runnable completion;

    /** What was completed since the serving thread has looked last, the latest first. */
    private final AtomicReference<@Nullable KeptChain> arrived = new AtomicReference<>();

    /** What is to be given back, in the order in which it was completed. */
    private @Nullable KeptChain first;
    private @Nullable KeptChain last;

    /** What is kept or completed, and not given back yet; in any order. */
    private final List<KeptChain> inUse = new ArrayList<>();

    private @Nullable KeptChain free;
    private int given;

    KeptChains(QueueLoop loop, Runnable completion) {
        this.loop = loop;
        this.completion = completion;
    }

    /** Takes a chain over; {@code slots} gets an empty slot instead of it. */
    KeptChain keep(Chain[] slots, int slot, DeviceQueue ring) {
        KeptChain kept = free;
        if (kept == null) {
            kept = new KeptChain(this);
        } else {
            free = kept.next();
            kept.next(null);
        }
        slots[slot] = kept.keep(slots[slot], ring, inUse.size());
        inUse.add(kept);
        return kept;
    }

    /** Has an answer put into guest memory, by this thread or by the one that serves. */
    void answered(KeptChain kept) {
        KeptChain before;
        do {
            before = arrived.get();
            kept.next(before);
        } while (!arrived.compareAndSet(before, kept));
        completion.run();
    }

    /** Whether a ring is the one that is served now. */
    boolean isServing(@Nullable DeviceQueue ring) {
        return ring != null && loop.isServing(ring);
    }

    /** Whether there is something to give back. */
    boolean isDue() {
        return first != null || arrived.get() != null;
    }

    /**
     * Gives chains back until none is left, guest memory is out of reach, or a section has copied as much as it may.
     * Inside a section.
     *
     * @return true in the last case: another section is needed
     */
    boolean giveBack(DeviceQueue ring) {
        takeArrived();
        long room = KeptChain.mostBytes();
        KeptChain kept = first;
        while (kept != null) {
            if (kept.isOf(ring) && kept.reach(ring) != Reach.NEVER) {
                long piece = Math.min(room, kept.missing());
                if (kept.reach(ring) == Reach.LATER) {
                    return false;
                }
                DmaResult result = kept.writePiece(room);
                if (result == DmaResult.CLOSED) {
                    return false;
                }
                // Also for a buffer that leads nowhere: a part of it may have been copied.
                room -= piece;
                if (result == DmaResult.OK && kept.missing() > 0) {
                    return true;
                }
                // Also where the driver's buffer cannot be written, which is its own fault: its used length says so.
                kept.giveBack(ring);
                given++;
            }
            recycle(kept);
            kept = first;
            if (room == 0) {
                return kept != null;
            }
        }
        return false;
    }

    /** How many were given back since this was asked last. */
    int takeGiven() {
        int count = given;
        given = 0;
        return count;
    }

    /** Drops what was kept of a ring that has ended; what was completed meanwhile is dropped by {@link #giveBack}. */
    void abandon() {
        given = 0;
        for (int i = inUse.size() - 1; i >= 0; i--) {
            if (inUse.get(i).abandon()) {
                remove(inUse.get(i));
            }
        }
    }

    private void takeArrived() {
        KeptChain latest = arrived.get() == null ? null : arrived.getAndSet(null);
        KeptChain head = null;
        KeptChain tail = latest;
        while (latest != null) {
            KeptChain earlier = latest.next();
            latest.next(head);
            head = latest;
            latest = earlier;
        }
        if (head == null) {
            return;
        }
        if (first == null || last == null) {
            first = head;
        } else {
            last.next(head);
        }
        last = tail;
    }

    private void recycle(KeptChain kept) {
        first = kept.next();
        if (first == null) {
            last = null;
        }
        remove(kept);
        kept.free();
        kept.next(free);
        free = kept;
    }

    /** Puts the last one into its place, for the list may be as long as the ring. */
    private void remove(KeptChain kept) {
        KeptChain moved = inUse.removeLast();
        if (kept.place() < inUse.size()) {
            inUse.set(kept.place(), moved);
            moved.place(kept.place());
        }
    }
}
