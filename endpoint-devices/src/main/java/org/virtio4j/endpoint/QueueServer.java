// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.virtio4j.device.DeviceContext;
import org.virtio4j.queue.Chain;
import org.virtio4j.queue.DeviceQueue;
import org.virtio4j.queue.QueueFailure;
import org.virtio4j.vmm.DmaResult;

/**
 * Serves one queue, a chain at a time: takes it, lets a {@link ChainHandler} work while no section is open, gives it
 * back and publishes it. So nobody's UNMAP waits for a disk, and a driver hears of each chain when it is done.
 *
 * <p>While a guest has taken bus mastering away, a chain at work can neither go on nor be given back. PCI says that a
 * function makes no requests then, not that it forgets any. So the chain is held, and done again from its start when
 * the next call to serve finds the ring within reach.
 *
 * <p>Any thread may serve, several at once too; they take turns chain by chain.
 */
final class QueueServer {

    private enum Step { NOTHING, SERVED, INTERRUPT }

    private final int index;
    private final ChainHandler handler;

    /**
     * Whose turn it is. Fair, so that who waits for the end of a chain is not overtaken by one thread that takes chain
     * after chain. Interrupts are sent after it was given back; a fault is reported before, for who waits for the end
     * of a chain waits for that too.
     */
    private final ReentrantLock turn = new ReentrantLock(true);

    private Chain chain = new Chain();
    private @Nullable DeviceContext context;
    private @Nullable DeviceQueue queue;

    /** Whether {@link #chain}, of {@link #queue}, is still to be done because DMA was stopped. */
    private boolean held;

    /** The queue in whose service something threw; nothing more is taken from it. */
    private @Nullable DeviceQueue broken;

    QueueServer(int index, ChainHandler handler) {
        this.index = index;
        this.handler = handler;
    }

    /**
     * Serves what is available, up to twice the ring, and leaves notifications on.
     *
     * @param active the activation whose queue it is
     * @return how many chains were given back
     */
    int serve(DeviceContext active) {
        DeviceQueue ring = active.queue(index);
        if (ring == null) {
            return 0;
        }
        int most = 2 * ring.size();
        int left = most;
        try {
            if (publish(ring)) {
                active.interrupt(index);
            }
            notifications(ring, false);
            do {
                while (left > 0 && serveOne(active, ring)) {
                    left--;
                }
            } while (notifications(ring, true) && left > 0);
        } catch (InternalError lost) {
            // Guest memory is a file that was cut short meanwhile. That is this machine's trouble and nobody else's.
            active.needsReset("queue " + index + ": " + lost.getMessage());
        }
        if (ring.failure() != QueueFailure.NONE) {
            active.queueFailed(index);
        }
        return most - left;
    }

    /** Returns when no chain is being worked on that was taken before. */
    void settle() {
        turn.lock();
        try {
            // Nothing to do: it is the wait that counts.
        } finally {
            turn.unlock();
        }
    }

    // For the handler at work

    /** Copies from the chain's readable part, in a section of its own. */
    DmaResult read(long offset, MemorySegment to, long length) {
        DeviceQueue ring = served();
        ring.enter();
        DmaResult result = chain.read(offset, to, 0, length);
        ring.leave();
        return result;
    }

    /** Copies to the chain's writable part, in a section of its own. */
    DmaResult write(long offset, MemorySegment from, long length) {
        DeviceQueue ring = served();
        ring.enter();
        DmaResult result = chain.write(offset, from, 0, length);
        ring.leave();
        return result;
    }

    /** Whether anybody still waits for the chain; false once its queue was reset. */
    @SuppressWarnings("ReferenceEquality") // a queue that was enabled again is another one
    boolean wanted() {
        DeviceContext active = context;
        return active != null && active.queue(index) == queue;
    }

    private boolean serveOne(DeviceContext active, DeviceQueue ring) {
        Step step = takeTurn(active, ring);
        if (step == Step.INTERRUPT) {
            active.interrupt(index);
        }
        return step != Step.NOTHING;
    }

    private Step takeTurn(DeviceContext active, DeviceQueue ring) {
        turn.lock();
        try {
            if (!take(active, ring)) {
                return Step.NOTHING;
            }
            boolean done = handler.work(this);
            return giveBack(ring, done);
        } catch (RuntimeException | Error failure) {
            abandon(ring);
            throw failure;
        } finally {
            turn.unlock();
        }
    }

    @SuppressWarnings("ReferenceEquality") // a queue that was enabled again is another one
    private boolean take(DeviceContext active, DeviceQueue ring) {
        if (ring == broken) {
            return false;
        }
        if (held && ring != queue) {
            // Its queue was reset meanwhile, and nobody waits for it any more.
            chain = new Chain();
            held = false;
        }
        context = active;
        queue = ring;
        ring.enter();
        boolean taken = held ? ring.isReachable() : ring.poll(chain);
        if (taken) {
            handler.take(chain);
        }
        ring.leave();
        return taken;
    }

    private Step giveBack(DeviceQueue ring, boolean done) {
        ring.enter();
        held = !(done && ring.isReachable()) && wanted() && ring.failure() == QueueFailure.NONE;
        if (!held) {
            handler.answer(chain);
            ring.complete(chain);
        }
        ring.leave();
        if (held) {
            return Step.NOTHING;
        }
        return ring.publish() ? Step.INTERRUPT : Step.SERVED;
    }

    /** Shows the driver what was given back before DMA was stopped; true if it wants to be interrupted for that. */
    private boolean publish(DeviceQueue ring) {
        turn.lock();
        try {
            return ring.publish();
        } catch (RuntimeException | Error failure) {
            abandon(ring);
            throw failure;
        } finally {
            turn.unlock();
        }
    }

    /** Tells the driver whether to notify; true if buffers came before it could know. */
    private boolean notifications(DeviceQueue ring, boolean on) {
        turn.lock();
        try {
            if (on) {
                return ring.enableNotifications();
            }
            ring.disableNotifications();
            return false;
        } catch (RuntimeException | Error failure) {
            abandon(ring);
            throw failure;
        } finally {
            turn.unlock();
        }
    }

    /** Leaves a queue that cannot be served any more, so that nobody waits for its section. */
    private void abandon(DeviceQueue ring) {
        broken = ring;
        held = false;
        chain = new Chain();
        try {
            ring.leave();
        } catch (IllegalStateException outside) {
            // It happened between two sections.
        }
    }

    private DeviceQueue served() {
        DeviceQueue ring = queue;
        if (ring == null) {
            throw new IllegalStateException("queue=none; chains are reached from work() only");
        }
        return ring;
    }
}
