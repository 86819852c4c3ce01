// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vmm.grace;

import java.lang.invoke.VarHandle;

/**
 * A reader's own side of its {@link ReaderSlot}: opens and ends its sections, and counts its look-ups. One section is
 * open at a time; it belongs to the thread that opened it. {@link GracePeriods} says how a writer that takes something
 * away waits for it. Only a {@code DmaHandle} makes one.
 */
public final class ReaderSection extends ReaderSlot {

    /** What the end of a section adds to the ticket. */
    private static final long ONE_EXIT = 1L << Integer.SIZE;

    /** Whether the instruction that claims a slot is a full fence as well, which no rule of Java promises. */
    private static final boolean CLAIM_IS_FENCE = claimIsFence(System.getProperty("os.arch", ""));

    /**
     * A reader that is in no section.
     *
     * @param holder       who reads, for reports about a section that does not end
     * @param messagesOnly whether the reader only sends interrupt messages
     */
    public ReaderSection(String holder, boolean messagesOnly) {
        super(holder, messagesOnly);
    }

    /**
     * Makes the calling thread the owner until it leaves. After it, nothing that was unlinked before a writer looked at
     * this slot can be reached any more.
     *
     * <p>If several threads enter at once, which is a mistake of their program, one is let in. If their tickets
     * overlapped, a writer might wait for none of them.
     *
     * @return false, and nothing is done, if a thread is inside already, also if it is this one
     */
    public boolean enter() {
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

    /**
     * Ends the section with a release store. Any thread may call; nothing is done for any but the one that entered.
     *
     * @return whether the calling thread was inside
     */
    public boolean leave() {
        long ticket = cell[MIDDLE];
        long me = thisThread();
        if ((int) ticket != (int) me) {
            return false;
        }
        CELL.setRelease(cell, MIDDLE, ticket - me + ONE_EXIT);
        return true;
    }

    /**
     * Whether the calling thread is the one inside. Any thread.
     *
     * @return false if no thread is inside, or another one
     */
    public boolean inside() {
        // Nobody else stores its number here, and it takes it away itself.
        return (int) cell[MIDDLE] == (int) thisThread();
    }

    /**
     * Refuses a thread that is not inside. Any thread.
     *
     * @throws IllegalStateException if the calling thread has no section open here
     */
    public void checkInside() {
        if (!inside()) {
            throw new IllegalStateException("section=none on " + holder() + " in this thread; call enter first");
        }
    }

    /** Counts a look-up that asks the translator. Owner only; the release of {@link #leave} shows it to others. */
    public void countWalk() {
        cell[WALKS]++;
    }

    /**
     * Counts a look-up that need not ask the translator. Owner only; the release of {@link #leave} shows it to others.
     */
    public void countCacheHit() {
        cell[CACHE_HITS]++;
    }

    /** The number of the calling thread: 32 bits of it, which are equal for two threads that are 2^32 apart. */
    private static long thisThread() {
        long number = Thread.currentThread().threadId() & 0xffff_ffffL;
        return number == NOBODY ? 1 : number;
    }

    /** On x86 every locked instruction is a full fence, and a second one would double the price of a section. */
    private static boolean claimIsFence(String architecture) {
        return architecture.equals("amd64") || architecture.equals("x86_64");
    }

    /**
     * What to throw after {@link #enter} refused.
     *
     * @return says who is inside, and what to change
     */
    public IllegalStateException alreadyOpen() {
        return new IllegalStateException("section=open on " + holder() + (inside()
                ? "; leave it before entering again"
                : ", in another thread; one handle serves one thread at a time, so open one for each"));
    }
}
