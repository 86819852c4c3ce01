// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vmm;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Says whether one {@link DmaHandle} is inside a section just now, and how many addresses it has looked up. The
 * handle's owner writes it, whoever takes something away reads it; see {@link Readers} for how the two meet.
 */
public final class ReaderSlot {

    private static final VarHandle CELL = MethodHandles.arrayElementVarHandle(long[].class);

    /** 128 bytes on either side: the prefetcher of common processors fetches cache lines in pairs. */
    private static final int MIDDLE = 16;

    // Behind the middle and in its cache line, which the owner writes anyway.
    private static final int WALKS = MIDDLE + 1;
    private static final int CACHE_HITS = MIDDLE + 2;

    /** In the low half of a ticket: who is inside. No thread has this number. */
    private static final int NOBODY = 0;
    /** In the high half: how many sections have ended. */
    private static final long ONE_EXIT = 1L << Integer.SIZE;

    /** Whether the instruction that claims a slot is a full fence as well, which no rule of Java promises. */
    private static final boolean CLAIM_IS_FENCE = claimIsFence(System.getProperty("os.arch", ""));

    private final String holder;
    private final boolean messagesOnly;

    /**
     * The element in the middle is the ticket: one word, since each store before the next section begins must be waited
     * for there. Two more count lookups, and the rest keeps neighbours away.
     */
    private final long[] cell = new long[CACHE_HITS + MIDDLE + 1];

    ReaderSlot(String holder, boolean messagesOnly) {
        this.holder = holder;
        this.messagesOnly = messagesOnly;
    }

    /**
     * Who reads through this slot, for reports about a section that does not end.
     *
     * @return the name its handle was opened with
     */
    public String holder() {
        return holder;
    }

    /**
     * Whether the reader only sends interrupt messages, and so never reaches memory. A device has such a reader for as
     * long as it exists; one for memory it has only while it is at work.
     *
     * @return true for that of a {@link MessageSender}
     */
    public boolean messagesOnly() {
        return messagesOnly;
    }

    /**
     * Makes the calling thread the owner until it leaves. After it, nothing that was unlinked before a writer looked at
     * this slot can be reached any more.
     *
     * <p>Of several threads that enter at once, which is a mistake of their program, one is let in. Would their tickets
     * overlap, a writer might wait for none of them.
     *
     * @return false, and nothing is done, if a thread is inside already, be it this one
     */
    boolean enter() {
        long ticket = cell[MIDDLE];
        if (isInside(ticket)) {
            return false;
        }
        if (!CELL.compareAndSet(cell, MIDDLE, ticket, ticket | thisThread())) {
            return false;
        }
        // The claim must be visible before anything in the section is loaded, else the writer would miss this reader.
        if (!CLAIM_IS_FENCE) {
            VarHandle.fullFence();
        }
        return true;
    }

    /** Owner only. Counts a lookup that asks the translator; the release of {@link #leave} shows it to others. */
    void countWalk() {
        cell[WALKS]++;
    }

    /** Owner only. Counts a lookup that does not have to, likewise. */
    void countCacheHit() {
        cell[CACHE_HITS]++;
    }

    /**
     * Any thread, and nothing is done for any but the one that entered.
     *
     * @return whether the calling thread was inside
     */
    boolean leave() {
        long ticket = cell[MIDDLE];
        long me = thisThread();
        if ((int) ticket != (int) me) {
            return false;
        }
        CELL.setRelease(cell, MIDDLE, ticket - me + ONE_EXIT);
        return true;
    }

    /** Any thread: whether it is the one inside. */
    boolean inside() {
        // Nobody else stores its number here, and it takes it away itself.
        return (int) cell[MIDDLE] == (int) thisThread();
    }

    /** The number of the calling thread: 32 bits of it, which are equal for two threads that are 2^32 apart. */
    private static long thisThread() {
        long number = Thread.currentThread().threadId() & 0xffff_ffffL;
        return number == NOBODY ? 1 : number;
    }

    /** Any thread; acquires, so that a writer who sees the exit sees what the section wrote. */
    long ticket() {
        return (long) CELL.getAcquire(cell, MIDDLE);
    }

    /** Any thread: lookups that asked the translator. */
    long walks() {
        return (long) CELL.getOpaque(cell, WALKS);
    }

    /** Any thread: lookups that did not have to. */
    long cacheHits() {
        return (long) CELL.getOpaque(cell, CACHE_HITS);
    }

    static boolean isInside(long ticket) {
        return (int) ticket != NOBODY;
    }

    /** On x86 every locked instruction is a full fence, and a second one would double the price of a section. */
    private static boolean claimIsFence(String architecture) {
        return architecture.equals("amd64") || architecture.equals("x86_64");
    }
}
