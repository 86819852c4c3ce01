// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.Lock;
import org.jspecify.annotations.Nullable;
import org.virtio4j.queue.DeviceQueue;
import org.virtio4j.queue.QueueFailure;
import org.virtio4j.vmm.Backoff;
import org.virtio4j.vmm.DmaResult;
import org.virtio4j.vmm.FirstFailure;

/**
 * Serves one queue of a device, whoever calls: virtual CPUs in their kicks, a worker, a thread that polls. What is done
 * with a buffer is a {@link QueueWork}'s; when to look, how long to go on and how to stop is decided here, once for all
 * devices.
 *
 * <p>One thread serves at a time. A kick that finds another one serving is left to that one, which looks again before
 * it leaves. It serves until notifications could be turned on with nothing left, so that a driver which notifies as it
 * was asked to never waits for ever. A driver that makes buffers available as fast as they are served keeps it for
 * {@value #MOST_PASSES} passes over twice the ring; then it asks to be notified of what comes next, serves what is
 * there, and leaves the rest to the kick that follows. From then on a kick waits for its turn rather than be left to a
 * thread that is about to go.
 *
 * <p><b>What an embedder's callback throws</b> ends the service of this queue and of no other: the buffers at work are
 * dropped, nothing more is taken from the ring, {@code DEVICE_NEEDS_RESET} is set with a reason that names the
 * exception, and the exception comes out of the call that served, once. After a reset the queue serves as new. Guest
 * memory that was cut short while it was used (an {@link InternalError}) is told by the reason alone. What the
 * callbacks of another device throw, such as an IOMMU's that hears of a fault, comes out of the call too, after the
 * queue was served to the end.
 *
 * <p>All methods may be called from any thread, but {@link #read} and {@link #write}.
 */
public final class QueueLoop {

    /** After so many passes over twice the ring a thread that serves a kick is let go. */
    private static final int MOST_PASSES = 1_000;

    private final int index;
    private final BatchServer server;

    /** Held during a pass, by devices whose state has a lock of its own; no interrupt is sent under it. */
    private final @Nullable Lock guard;

    /** There may be something to serve; whoever serves looks at it after its claim has ended. */
    private final AtomicBoolean pending = new AtomicBoolean();

    /** Who serves just now. */
    private final AtomicReference<@Nullable Thread> owner = new AtomicReference<>();

    /** Whether the owner is about to leave, so that who comes waits for its end. */
    private volatile boolean leaving;

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
        this(index, work, null);
    }

    /**
     * A loop whose passes hold a lock of the device; interrupts are sent after each pass, under no lock, while others
     * may serve already.
     *
     * @param index index of the queue
     * @param work  what is done with its buffers, called under {@code guard}
     * @param guard a fair lock, if others are to get it between two passes; null for none
     */
    public QueueLoop(int index, QueueWork work, @Nullable Lock guard) {
        this.index = index;
        this.guard = guard;
        this.server = new BatchServer(work, this::interrupt);
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
    @SuppressWarnings("ReferenceEquality") // which thread it is, is the question
    public boolean isIdle() {
        Thread serving = owner.get();
        return serving == null || serving == Thread.currentThread();
    }

    /**
     * Whether nobody serves this queue, not even the caller from within a callback.
     *
     * @return false while a thread serves
     */
    public boolean isFree() {
        return owner.get() == null;
    }

    /**
     * Serves what is available, or leaves it to the thread that serves already. Under no lock, outside any section.
     */
    public void kick() {
        // Set before the claim is tried: if another thread serves, that thread will see this before it is done.
        pending.set(true);
        Throwable thrown = null;
        boolean more = false;
        boolean handedOver = false;
        for (int passes = 0; !handedOver && (more || pending.get()) && claim(); passes++) {
            handedOver = passes == MOST_PASSES;
            more = handedOver ? handOver() : pass();
            thrown = FirstFailure.join(thrown, releaseAndTell());
        }
        ToldFailure.rethrow(thrown);
    }

    /**
     * Serves one pass over what is available, for a thread that comes back. Under no lock, outside any section.
     *
     * @return true if something may be left, so that the caller must call again
     */
    public boolean serve() {
        pending.set(true);
        if (!claim()) {
            return false;
        }
        boolean more = pass();
        ToldFailure.rethrow(releaseAndTell());
        return more || pending.get();
    }

    /**
     * Serves one pass, and waits for its turn if another thread is serving: for a device that has something to say and
     * little room to keep it. Only for a loop with a guard, which ends its turn before it calls the embedder.
     */
    public void serveInTurn() {
        pending.set(true);
        for (int i = 0; !tryClaim(); i++) {
            Backoff.pause(i);
        }
        boolean ignored = pass();
        ToldFailure.rethrow(releaseAndTell());
    }

    // For the work

    /**
     * Copies from the readable part of a buffer at work, in a section of its own.
     *
     * @param slot   which of the batch
     * @param offset bytes from the start of that part
     * @param to     filled from its start
     * @param length bytes, at most what a section may copy
     * @return as {@link org.virtio4j.queue.Chain#read}
     */
    public DmaResult read(int slot, long offset, MemorySegment to, long length) {
        DeviceQueue queue = served();
        queue.enter();
        try {
            return server.chain(slot).read(offset, to, 0, length);
        } finally {
            server.leave(queue);
        }
    }

    /**
     * Copies to the writable part of a buffer at work, in a section of its own.
     *
     * @param slot   which of the batch
     * @param offset bytes from the start of that part
     * @param from   read from its start
     * @param length bytes, at most what a section may copy
     * @return as {@link org.virtio4j.queue.Chain#write}
     */
    public DmaResult write(int slot, long offset, MemorySegment from, long length) {
        DeviceQueue queue = served();
        queue.enter();
        try {
            return server.chain(slot).write(offset, from, 0, length);
        } finally {
            server.leave(queue);
        }
    }

    /**
     * Whether anybody still waits for the buffers at work; false once their queue was reset.
     *
     * @return true while the queue is what it was when they were taken
     */
    @SuppressWarnings("ReferenceEquality") // a queue that was enabled again is another one
    public boolean wanted() {
        DeviceContext serving = active;
        return serving != null && serving.queue(index) == ring;
    }

    // Turns

    @SuppressWarnings("ReferenceEquality") // which thread it is, is the question
    private boolean claim() {
        for (int i = 0; !tryClaim(); i++) {
            if (!leaving || owner.get() == Thread.currentThread()) {
                return false;
            }
            // The wait is short: the owner serves what is there and goes.
            Backoff.pause(i);
        }
        return true;
    }

    private boolean tryClaim() {
        boolean mine = owner.get() == null && owner.compareAndSet(null, Thread.currentThread());
        if (mine && leaving) {
            // Hardly ever so, and a store would be a fence in each kick.
            leaving = false;
        }
        return mine;
    }

    /**
     * Ends the turn and then tells what it led to: an interrupt that was put off, a failure of the ring, what was
     * thrown. {@link #leaving} stays as it is: who waits for this is to take the next turn, not to be told to go.
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
        owner.set(null);
        Throwable thrown = failure instanceof InternalError ? null : failure;
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
        leaving = true;
        boolean more = pass(true);
        // Who saw this thread before it was leaving has left its kick to it.
        return pending.get() ? pass(true) : more;
    }

    /** True if the bound was reached, and nobody knows whether something is left. */
    private boolean pass() {
        return pass(false);
    }

    private boolean pass(boolean last) {
        // Read and written at once: what the kickers so far made available is seen below.
        pending.getAndSet(false);
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

    private void interrupt() {
        DeviceContext serving = active;
        DeviceQueue queue = ring;
        if (guard != null) {
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
