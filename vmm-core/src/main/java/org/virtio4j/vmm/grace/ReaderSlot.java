// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vmm.grace;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * One reader, as a writer that takes things away sees it: whether the reader is inside a section now. The reader itself
 * works through its {@link ReaderSection}. A translator is given slots and hands them to its {@link GracePeriods}, and
 * needs nothing else of them.
 */
public abstract sealed class ReaderSlot permits ReaderSection {

    static final VarHandle CELL = MethodHandles.arrayElementVarHandle(long[].class);

    /** 128 bytes on either side: the prefetcher of common processors fetches cache lines in pairs. */
    static final int MIDDLE = 16;

    // Behind the middle and in its cache line, which the owner writes anyway.
    static final int WALKS = MIDDLE + 1;
    static final int CACHE_HITS = MIDDLE + 2;

    /** In the low half of a ticket: who is inside. No thread has this number. */
    static final int NOBODY = 0;

    /**
     * The element in the middle is the ticket: one word, because the next section begins only after each of its stores
     * has become visible. Its low half says who is inside, its high half how many sections have ended. Two more
     * elements count look-ups, and the rest keeps neighbours away.
     */
    final long[] cell = new long[CACHE_HITS + MIDDLE + 1];

    private final String holder;
    private final boolean messagesOnly;

    ReaderSlot(String holder, boolean messagesOnly) {
        this.holder = holder;
        this.messagesOnly = messagesOnly;
    }

    /**
     * Who reads through this slot, for reports about a section that does not end.
     *
     * @return the name its handle was opened with
     */
    public final String holder() {
        return holder;
    }

    /**
     * Whether the reader only sends interrupt messages, and so never reaches memory. A device has such a reader for as
     * long as it exists; a reader that reaches memory exists only while the device is at work.
     *
     * @return true for that of a {@code MessageSender}
     */
    public final boolean messagesOnly() {
        return messagesOnly;
    }

    /** Any thread; acquires, so that a writer who sees the exit sees what the section wrote. */
    final long ticket() {
        return (long) CELL.getAcquire(cell, MIDDLE);
    }

    /** Any thread: look-ups that asked the translator. */
    final long walks() {
        return (long) CELL.getOpaque(cell, WALKS);
    }

    /** Any thread: look-ups that did not have to. */
    final long cacheHits() {
        return (long) CELL.getOpaque(cell, CACHE_HITS);
    }

    static boolean isInside(long ticket) {
        return (int) ticket != NOBODY;
    }
}
