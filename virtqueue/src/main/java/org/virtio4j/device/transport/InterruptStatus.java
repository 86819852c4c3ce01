// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device.transport;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.virtio4j.vmm.FirstFailure;
import org.virtio4j.vmm.InterruptLine;

/**
 * The events that the guest has not acknowledged, and the line that is high while there are any: what transports with
 * a level-triggered interrupt have in common (virtio 1.4, sections 4.1.4.5 and 4.2.2).
 *
 * <p>Any thread may call any method. Those that may change the line call the embedder, and so are called under no lock;
 * none of this class is held then. One thread calls the line at a time: another that changes something meanwhile leaves
 * it to that thread, which looks again when the line returns. So a change is never lost, and none overtakes another.
 * For how long one thread works for others is bounded: after some rounds the next to change something takes its place.
 *
 * <p>When the line throws, the level counts as set, what others have changed meanwhile is seen to, and the exception
 * comes out of the method that called the line.
 */
public final class InterruptStatus {

    private static final VarHandle WORDS = MethodHandles.arrayElementVarHandle(long[].class);

    /** The bits of word 0 below this are events; those above, and all of the words that follow, are queues. */
    private static final int FIRST_QUEUE_BIT = Integer.SIZE;
    private static final long QUEUES = -1L << FIRST_QUEUE_BIT;

    /** How often a thread calls the line before it may give its place to another. */
    private static final int MOST_ROUNDS = 16;

    private final InterruptLine line;
    private final BooleanSupplier lineUsed;

    /** Who has raised what: see {@link #FIRST_QUEUE_BIT}. Atomic bit by bit. */
    private final long[] words;

    /** The event that is pending while a queue's bit is set. */
    private final int usedEvent;

    /** Never held while the line is called. Guards what follows. */
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition returned = lock.newCondition();

    /** Who calls the line just now, with what, and how often it has. */
    private @Nullable Thread caller;
    private boolean level;
    private int rounds;

    /** How often somebody asked for a look, up to which of these the caller has looked, and which the line shows. */
    private long asked;
    private long looked;
    private long shown;
    private int waiting;

    /**
     * No event, and a line that is low.
     *
     * @param line     the embedder's
     * @param lineUsed whether events raise the line just now; reads volatile state and takes no lock. Code that changes
     *                 the answer calls {@link #updateLine}
     */
    public InterruptStatus(InterruptLine line, BooleanSupplier lineUsed) {
        this(line, lineUsed, 0, 0);
    }

    /**
     * No event, a line that is low, and queues that share an event.
     *
     * @param line      as above
     * @param lineUsed  as above
     * @param queues    how many queues there are
     * @param usedEvent the bit that says that at least one of them has used buffers
     */
    public InterruptStatus(InterruptLine line, BooleanSupplier lineUsed, int queues, int usedEvent) {
        this.line = line;
        this.lineUsed = lineUsed;
        this.usedEvent = usedEvent;
        this.words = new long[1 + wordOf(Math.max(1, queues) - 1)];
    }

    /**
     * The events that are not acknowledged.
     *
     * @return a sum of what {@link #raise} was given, and of the queues' event if one of them has raised it
     */
    public int bits() {
        long first = word(0);
        boolean queues = (first & QUEUES) != 0;
        for (int i = 1; i < words.length && !queues; i++) {
            queues = word(i) != 0;
        }
        return (int) first | (queues ? usedEvent : 0);
    }

    /**
     * Adds an event.
     *
     * @param event its bit
     */
    public void raise(int event) {
        add(0, Integer.toUnsignedLong(event));
    }

    /**
     * Adds the queues' event for one of them.
     *
     * @param queue index of a queue that has used buffers
     */
    public void raiseUsed(int queue) {
        add(wordOf(queue), bitOf(queue));
    }

    /**
     * Withdraws what a queue has raised, because it was reset; the event stays if another queue has raised it, too. The
     * line stays as it is, so callers may hold a lock: {@link #updateLineIfMoved} must follow.
     *
     * @param queue index of a queue that raises nothing meanwhile
     */
    public void withdrawQueue(int queue) {
        long ignored = remove(wordOf(queue), bitOf(queue));
    }

    /**
     * Drops events that the guest has handled.
     *
     * @param events a sum of bits, of events that are there or not
     */
    public void acknowledge(int events) {
        boolean used = (events & usedEvent) != 0;
        long mask = Integer.toUnsignedLong(events) | (used ? QUEUES : 0);
        long dropped = remove(0, mask) & mask;
        if (used) {
            dropped |= removeFurtherQueues();
        }
        if (dropped != 0 && bits() == 0) {
            update(false);
        }
    }

    /**
     * Drops all events and says which there were.
     *
     * @return a sum of bits
     */
    public int take() {
        long first = remove(0, -1L);
        long queues = (first & QUEUES) | removeFurtherQueues();
        int old = (int) first | (queues != 0 ? usedEvent : 0);
        if (old != 0) {
            update(false);
        }
        return old;
    }

    /** Withdraws all events. The line stays as it is, so callers may hold a lock: {@link #updateLine} must follow. */
    public void withdrawAll() {
        for (int i = 0; i < words.length; i++) {
            WORDS.setVolatile(words, i, 0L);
        }
    }

    /**
     * Sets the line to the level that the events ask for. When this returns, the line has that level, and no other
     * thread is about to set it to an older one: this waits for a thread that is calling the line. When it is called by
     * the line itself, it returns at once, and the line is called again afterwards.
     */
    public void updateLine() {
        update(true);
    }

    /** Does what {@link #updateLine} does, but does not call a line that has the right level already. */
    public void updateLineIfMoved() {
        if (isMoved()) {
            update(true);
        }
    }

    private boolean isMoved() {
        lock.lock();
        try {
            return caller != null || level != wanted();
        } finally {
            lock.unlock();
        }
    }

    /** A thread that finds the word not empty leaves the line to the one that filled it, or that empties it. */
    private void add(int word, long bit) {
        if ((long) WORDS.getAndBitwiseOr(words, word, bit) == 0) {
            update(false);
        }
    }

    /** Clears bits of a word; returns what it was. */
    private long remove(int word, long bits) {
        return (long) WORDS.getAndBitwiseAnd(words, word, ~bits);
    }

    /** Clears the bits of the queues that are not in word 0; returns 0 if none was set. */
    private long removeFurtherQueues() {
        long old = 0;
        for (int i = 1; i < words.length; i++) {
            old |= remove(i, -1L);
        }
        return old;
    }

    private long word(int index) {
        return (long) WORDS.getVolatile(words, index);
    }

    private static int wordOf(int queue) {
        return (FIRST_QUEUE_BIT + queue) / Long.SIZE;
    }

    private static long bitOf(int queue) {
        return 1L << (FIRST_QUEUE_BIT + queue);
    }

    private void update(boolean wait) {
        if (isMine(wait)) {
            callLine();
        }
    }

    /** Asks for a look; true for the thread that is to call the line. */
    private boolean isMine(boolean wait) {
        lock.lock();
        try {
            if (Thread.currentThread().equals(caller)) {
                asked += level == wanted() ? 0 : 1;
                return false;
            }
            asked++;
            if (caller != null && !wait && rounds < MOST_ROUNDS) {
                return false;
            }
            return takePlace(asked);
        } finally {
            lock.unlock();
        }
    }

    /** Waits for the caller to have a look, or to go. */
    private boolean takePlace(long mine) {
        waiting++;
        while (caller != null && shown < mine) {
            returned.awaitUninterruptibly();
        }
        waiting--;
        boolean open = shown < mine;
        if (open) {
            caller = Thread.currentThread();
            rounds = 0;
        }
        return open;
    }

    private void callLine() {
        Throwable failure = null;
        boolean again = true;
        while (again) {
            try {
                line.set(look());
            } catch (RuntimeException | Error thrown) {
                // Others have left their changes to this thread, so it goes on.
                failure = FirstFailure.join(failure, thrown);
            }
            again = show();
        }
        FirstFailure.throwIt(failure);
    }

    private boolean look() {
        lock.lock();
        try {
            looked = asked;
            level = wanted();
            return level;
        } finally {
            lock.unlock();
        }
    }

    /** The line has returned; says whether this thread calls it again. */
    private boolean show() {
        lock.lock();
        try {
            shown = looked;
            rounds++;
            boolean done = shown == asked || (rounds >= MOST_ROUNDS && waiting > 0);
            if (done) {
                caller = null;
            }
            returned.signalAll();
            return !done;
        } finally {
            lock.unlock();
        }
    }

    private boolean wanted() {
        return bits() != 0 && lineUsed.getAsBoolean();
    }
}
