// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device;

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

    private static final VarHandle BITS = bitsHandle();

    /** How often a thread calls the line before it may give its place to another. */
    private static final int MOST_ROUNDS = 16;

    private final InterruptLine line;
    private final BooleanSupplier lineUsed;
    private volatile int bits;

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
     * @param lineUsed whether events raise the line just now; reads volatile state and takes no lock, and whoever
     *                 changes its answer calls {@link #settle}
     */
    public InterruptStatus(InterruptLine line, BooleanSupplier lineUsed) {
        this.line = line;
        this.lineUsed = lineUsed;
    }

    /**
     * The events that are not acknowledged.
     *
     * @return a sum of what {@link #raise} was given
     */
    public int bits() {
        return bits;
    }

    /**
     * Adds an event.
     *
     * @param event its bit
     */
    public void raise(int event) {
        if ((int) BITS.getAndBitwiseOr(this, event) == 0) {
            update(false);
        }
    }

    /**
     * Drops events that the guest has handled.
     *
     * @param events a sum of bits, of events that are there or not
     */
    public void acknowledge(int events) {
        int old = (int) BITS.getAndBitwiseAnd(this, ~events);
        if (old != 0 && (old & ~events) == 0) {
            update(false);
        }
    }

    /**
     * Drops all events and says which there were.
     *
     * @return a sum of bits
     */
    public int take() {
        int old = (int) BITS.getAndSet(this, 0);
        if (old != 0) {
            update(false);
        }
        return old;
    }

    /** Drops all events but leaves the line alone, for callers that hold a lock: {@link #settle} must follow. */
    public void forget() {
        bits = 0;
    }

    /**
     * Brings the line to where the events say. When this returns it is there, and no other thread is about to set it to
     * a level of before; so it waits for a thread that is calling the line. Inside the line itself it returns at once,
     * and the line is called again.
     */
    public void settle() {
        update(true);
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
        return bits != 0 && lineUsed.getAsBoolean();
    }

    private static VarHandle bitsHandle() {
        try {
            return MethodHandles.lookup().findVarHandle(InterruptStatus.class, "bits", int.class);
        } catch (ReflectiveOperationException impossible) {
            throw new ExceptionInInitializerError(impossible);
        }
    }
}
