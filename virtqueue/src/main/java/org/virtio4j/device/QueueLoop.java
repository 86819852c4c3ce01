// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device;

import java.lang.foreign.MemorySegment;
import java.util.Objects;
import java.util.concurrent.locks.Lock;
import org.jspecify.annotations.Nullable;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.queue.DeviceQueue;
import org.virtio4j.queue.QueueFailure;
import org.virtio4j.vmm.FirstFailure;
import org.virtio4j.vmm.grace.Backoff;

/**
 * Serves one queue of a device. Any thread may call: a virtual CPU in its kick, a worker, a thread that polls. What is
 * done with a buffer is a {@link QueueWork}'s; when to look, how long to go on and how to stop is decided here, once
 * for all devices.
 *
 * <p>One thread serves at a time. A kick that finds another one serving is left to that one, which looks again before
 * it leaves. It serves until notifications could be turned on with nothing left, so a driver that notifies as it was
 * asked to is always served. A driver that makes buffers available as fast as they are served keeps it for {@value
 * #MOST_PASSES} passes over twice the ring. Then it asks to be notified of what comes next, serves what is there, and
 * leaves the rest to the next kick. From then on a kick waits for its turn rather than be left to a thread that is
 * about to go.
 *
 * <p><b>What an embedder's callback throws</b> ends the service of this queue and of no other. The buffers at work are
 * dropped, and nothing more is taken from the ring. {@code DEVICE_NEEDS_RESET} is set with a reason that names the
 * exception, and the call that served throws the exception once. After a reset the queue serves as new. Guest memory
 * that was cut short while it was used (an {@link InternalError}) is told by the reason alone. What the callbacks of
 * another device throw, such as an IOMMU's that hears of a fault, comes out of the call too, after the queue was served
 * to the end.
 *
 * <p>All methods may be called from any thread, but {@link #read} and {@link #write}.
 */
public final class QueueLoop {

    /** After so many passes over twice the ring a thread that serves a kick is let go. */
    private static final int MOST_PASSES = 1_000;

    private final int index;
    private final BatchServer server;

    /** Held during a pass, by devices whose state has a lock of its own. */
    private final @Nullable Lock guard;

    /** Whether interrupts wait for the end of the turn. */
    private final boolean putsInterruptsOff;

    private final Turns turns = new Turns();
    private volatile @Nullable DeviceContext context;

    // The owner's

    private @Nullable DeviceContext active;
    private @Nullable DeviceQueue ring;
    private boolean interruptDue;
    private @Nullable Throwable failed;

    /**
     * A loop for a device whose work needs no lock: interrupts are sent as soon as a batch is visible.
     *
     * @param index index of the queue
     * @param work  what is done with its buffers
     */
    public QueueLoop(int index, QueueWork work) {
        this(index, work, null, false);
    }

    /**
     * A loop whose passes hold a lock of the device; interrupts are sent after each pass, under no lock, while others
     * may serve already.
     *
     * @param index index of the queue
     * @param work  what is done with its buffers, called under {@code guard}
     * @param guard a fair lock, if others are to get it between two passes
     */
    public QueueLoop(int index, QueueWork work, Lock guard) {
        this(index, work, guard, true);
    }

    private QueueLoop(int index, QueueWork work, @Nullable Lock guard, boolean putsInterruptsOff) {
        this.index = index;
        this.guard = guard;
        this.putsInterruptsOff = putsInterruptsOff;
        this.server = new BatchServer(work, this);
    }

    /**
     * A loop for a device whose work is guarded by {@linkplain #beginTurn turns} and needs no other lock; interrupts
     * are sent after each turn, while others may serve already.
     *
     * @param index index of the queue
     * @param work  what is done with its buffers
     * @return a loop whose {@link #kick} may be called as that of any other
     */
    public static QueueLoop inTurns(int index, QueueWork work) {
        return new QueueLoop(index, work, null, true);
    }

    /** Index of the queue. */
    int index() {
        return index;
    }

    /**
     * Begins with an activation. What the driver has made available so far is served by the kick that follows.
     *
     * @param activation the activation whose queue is served from now on
     */
    public void start(DeviceContext activation) {
        context = activation;
    }

    /** Ends with an activation: no pass begins any more. {@link #isIdle} says when the last one is over. */
    public void stop() {
        context = null;
    }

    /**
     * Whether nothing is being carried out for this queue, but by the caller itself. Once the queue was closed, this
     * becomes true as soon as the present batch is done.
     *
     * @return false while another thread serves
     */
    public boolean isIdle() {
        return turns.isFree() || turns.isMine();
    }

    /**
     * Whether nobody serves this queue, not even the caller from within a callback.
     *
     * @return false while a thread serves
     */
    public boolean isFree() {
        return turns.isFree();
    }

    /**
     * Serves what is available, or leaves it to the thread that serves already. Under no lock, outside any section.
     */
    public void kick() {
        takeTurns(true, true, null);
    }

    /** Serves as a kick does, but never waits: for a call that may come from a handler of another queue. */
    void look() {
        takeTurns(true, false, null);
    }

    /**
     * Serves one pass over what is available, for a thread that comes back. Under no lock, outside any section.
     *
     * @return true if something may be left, so that the caller must call again
     */
    public boolean serve() {
        if (!turns.claim(true)) {
            return false;
        }
        boolean more = pass();
        ToldFailure.rethrow(releaseAndTell());
        return more || turns.isPending();
    }

    /**
     * Looks at the queue, for a thread that comes again and again because its driver does not notify, and serves one
     * pass over what is available. A look that finds nothing opens one section and reads one index, and takes no lock
     * of the device's. Under no lock, outside any section.
     *
     * @return how many buffers were given back; 0 while another thread serves, and once the queue has failed
     */
    public int poll() {
        return turnOfPoll(true);
    }

    /**
     * Has a polled queue ask its driver for no notification, as each {@link #poll} would, and serves nothing: for a
     * notification that comes all the same, and for {@code DRIVER_OK}. Under no lock, outside any section.
     */
    public void quieten() {
        int ignored = turnOfPoll(false);
    }

    /**
     * Waits until no other thread serves, and keeps others from it until {@link #serveTurn} or {@link #endTurn}: for a
     * device that has something to say and little room to keep it. Only for a loop {@linkplain #inTurns of this kind},
     * which ends its turn before it sends an interrupt. Under no lock that a callback of its work waits for.
     *
     * @return false if this is a callback of the work, whose turn it is anyway: then neither of the two may be called
     */
    public boolean beginTurn() {
        if (turns.isMine()) {
            return false;
        }
        for (int i = 0; !turns.tryClaim(); i++) {
            Backoff.pause(i);
        }
        return true;
    }

    /** Ends a turn, and serves nothing; kicks that came meanwhile wait for the next one, which must follow. */
    public void endTurn() {
        turns.release();
    }

    /** Serves as {@link #kick} does, beginning with the turn that was begun, and ends it. */
    public void serveTurn() {
        boolean more = pass();
        Throwable thrown = releaseAndTell();
        // Others have left their kicks to this turn.
        takeTurns(more || turns.isPending(), true, thrown);
    }

    // For the work

    /**
     * Copies from the readable part of a buffer at work, in a section of its own.
     *
     * @param slot     which of the batch
     * @param offset   bytes from the start of that part
     * @param to       where to copy to
     * @param toOffset bytes from the start of {@code to}
     * @param length   bytes, at most what a section may copy
     * @return as {@link org.virtio4j.queue.Chain#read}
     */
    public DmaResult read(int slot, long offset, MemorySegment to, long toOffset, long length) {
        DeviceQueue queue = served();
        queue.enter();
        try {
            return server.chain(slot).read(offset, to, toOffset, length);
        } finally {
            server.leave(queue);
        }
    }

    /**
     * Copies to the writable part of a buffer at work, in a section of its own.
     *
     * @param slot       which of the batch
     * @param offset     bytes from the start of that part
     * @param from       where to copy from
     * @param fromOffset bytes from the start of {@code from}
     * @param length     bytes, at most what a section may copy
     * @return as {@link org.virtio4j.queue.Chain#write}
     */
    public DmaResult write(int slot, long offset, MemorySegment from, long fromOffset, long length) {
        DeviceQueue queue = served();
        queue.enter();
        try {
            return server.chain(slot).write(offset, from, fromOffset, length);
        } finally {
            server.leave(queue);
        }
    }

    /**
     * Whether anybody still waits for the buffers at work; false once their queue was reset, or this loop stopped.
     *
     * @return true while the queue is what it was when they were taken
     */
    public boolean wanted() {
        DeviceQueue queue = ring;
        return queue != null && isServing(queue);
    }

    // For chains that are answered later

    /** Has the chain at work answered later. */
    KeptChain keep() {
        return server.keep(served());
    }

    /** Whether a ring is the one that is served now. Any thread. */
    @SuppressWarnings("ReferenceEquality") // a queue that was enabled again is another one
    boolean isServing(DeviceQueue queue) {
        DeviceContext serving = context;
        return serving != null && serving.queue(index) == queue;
    }

    /** Has somebody else than {@link #look} called when a chain was completed. Before the first activation. */
    void completeBy(Runnable handOn) {
        server.completeBy(handOn);
    }

    // Turns

    private int turnOfPoll(boolean serves) {
        if (!isServable() || !turns.tryClaim()) {
            // The thread that serves does not look again, but one that polls comes back.
            return 0;
        }
        long before = server.given();
        if (isDue() && serves) {
            boolean ignored = pass();
        }
        int given = (int) (server.given() - before);
        Throwable thrown = releaseAndTell();
        // Kicks do not come again, and were left to this turn.
        takeTurns(turns.isPending(), true, thrown);
        return given;
    }

    /** Without a turn, so that a queue that is not there or has failed costs nothing and is told of once. */
    private boolean isServable() {
        DeviceContext serving = context;
        DeviceQueue queue = serving == null ? null : serving.queue(index);
        return queue != null && queue.failure() == QueueFailure.NONE;
    }

    private void takeTurns(boolean look, boolean waits, @Nullable Throwable earlier) {
        Throwable thrown = earlier;
        boolean more = look;
        boolean handedOver = false;
        for (int passes = 0; more && !handedOver && turns.claim(waits); passes++) {
            handedOver = passes == MOST_PASSES;
            more = handedOver ? handOver() : pass();
            thrown = FirstFailure.join(thrown, releaseAndTell());
            more |= turns.isPending();
        }
        ToldFailure.rethrow(handedOver ? serveLeft(thrown) : thrown);
    }

    /** Serves what was left by threads that do not wait to one that was about to leave. Kicks wait for their turn. */
    private @Nullable Throwable serveLeft(@Nullable Throwable earlier) {
        Throwable thrown = earlier;
        for (int passes = 0; passes < MOST_PASSES && turns.isLeft() && turns.claim(false); passes++) {
            boolean ignored = pass();
            thrown = FirstFailure.join(thrown, releaseAndTell());
        }
        return thrown;
    }

    /**
     * Ends the turn and then tells what it led to: an interrupt that was put off, a failure of the ring, what was
     * thrown. Kicks that wait for a thread which is leaving go on to wait: one of them takes the next turn.
     */
    private @Nullable Throwable releaseAndTell() {
        DeviceContext served = active;
        DeviceQueue queue = ring;
        boolean interrupt = interruptDue;
        Throwable failure = failed;
        Throwable foreign = server.takeForeign();
        interruptDue = false;
        failed = null;
        active = null;
        turns.release();
        Throwable thrown = failure != null && LostMemory.is(failure) ? null : failure;
        if (served != null && queue != null) {
            try {
                tell(served, queue, interrupt, failure);
            } catch (RuntimeException | Error again) {
                thrown = FirstFailure.join(thrown, again);
            }
        }
        return FirstFailure.join(thrown, foreign);
    }

    private void tell(DeviceContext served, DeviceQueue queue, boolean interrupt, @Nullable Throwable failure) {
        if (failure != null) {
            served.queueFailed(index, queue, failure);
        } else if (queue.failure() != QueueFailure.NONE) {
            served.queueFailed(index, queue);
        }
        if (interrupt) {
            tellInterrupt(served, queue);
        }
    }

    private void tellInterrupt(DeviceContext served, DeviceQueue queue) {
        try {
            served.interrupt(index, queue);
        } catch (RuntimeException | Error thrown) {
            FirstFailure.throwIt(FirstFailure.after(thrown, () -> served.queueFailed(index, queue, thrown)));
        }
    }

    // Serving

    private boolean handOver() {
        turns.leave();
        boolean more = pass(true);
        // A kicker that came before this thread was leaving has left its kick to it.
        return turns.takePending() ? pass(true) : more;
    }

    /** Whether a pass would find something, under no lock of the device's. */
    private boolean isDue() {
        DeviceContext serving = context;
        DeviceQueue queue = serving == null ? null : serving.queue(index);
        active = serving;
        ring = queue;
        try {
            return queue != null && server.isDue(queue);
        } catch (RuntimeException | Error failure) {
            server.giveUp(Objects.requireNonNull(queue));
            failed = failure;
            return false;
        }
    }

    /** True if the bound was reached, and nobody knows whether something is left. */
    private boolean pass() {
        return pass(false);
    }

    private boolean pass(boolean last) {
        DeviceContext serving = context;
        DeviceQueue queue = serving == null ? null : serving.queue(index);
        active = serving;
        ring = queue;
        if (queue == null) {
            return false;
        }
        Lock held = guard;
        if (held != null) {
            held.lock();
        }
        try {
            return last ? server.handOver(queue) : server.pass(queue, 2 * queue.size());
        } catch (RuntimeException | Error failure) {
            // Under the guard still, for others look at the state of the device under it.
            server.giveUp(queue);
            failed = failure;
            return false;
        } finally {
            if (held != null) {
                held.unlock();
            }
        }
    }

    /** Sends an interrupt for what was served, or sees to it that one is sent after the turn. */
    void interrupt() {
        DeviceContext serving = active;
        DeviceQueue queue = ring;
        if (putsInterruptsOff) {
            interruptDue = true;
        } else if (serving != null && queue != null) {
            serving.interrupt(index, queue);
        }
    }

    private DeviceQueue served() {
        DeviceQueue queue = ring;
        if (active == null || queue == null) {
            throw new IllegalStateException("queue=none; buffers are reached from work() only");
        }
        return queue;
    }
}
