// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device;

import org.jspecify.annotations.Nullable;
import org.virtio4j.queue.Chain;
import org.virtio4j.queue.DeviceQueue;
import org.virtio4j.vmm.FirstFailure;

/**
 * Takes buffers of one queue through the steps of a {@link QueueWork}, batch by batch. A batch needs two sections and
 * the beginning of a third: take, answer, publish; the third takes the next batch, or turns notifications on.
 *
 * <p>Used by one thread at a time. What an embedder's callbacks throw comes out of {@link #pass}; after that, and only
 * then, {@link #giveUp} must be called.
 */
final class BatchServer {

    private final QueueWork work;
    private final Runnable interrupt;
    private final Chain[] chains;

    /** The queue that the chains belong to. */
    private @Nullable DeviceQueue ring;

    /** How many chains are at work or held, and whether their work is done and only the answer is missing. */
    private int taken;
    private boolean done;

    /** Whether the last look found memory out of reach for a while. */
    private boolean away;

    /** How many chains the driver cannot see yet. */
    private int answered;

    /** What came out of the callbacks of other devices, which hear of faults when a section ends. */
    private @Nullable Throwable foreign;

    /**
     * Starts with empty slots.
     *
     * @param work      what is done with a batch
     * @param interrupt called after each batch that the driver wants an interrupt for
     */
    BatchServer(QueueWork work, Runnable interrupt) {
        this.work = work;
        this.interrupt = interrupt;
        int batch = work.batch();
        if (batch < 1) {
            throw new IllegalArgumentException("batch=" + batch + ", but a queue is served with 1 buffer at least at a"
                    + " time; override QueueWork.batch to say so");
        }
        this.chains = new Chain[batch];
        for (int i = 0; i < chains.length; i++) {
            chains[i] = new Chain();
        }
    }

    /** Serves a queue until nothing is left or memory is away; true if so many chains were served first. */
    @SuppressWarnings("ReferenceEquality") // a queue that was enabled again is another one
    boolean pass(DeviceQueue queue, int most) {
        if (queue != ring) {
            // Nobody waits for what was taken from a queue that ended.
            drop();
            ring = queue;
        }
        int left = most;
        while (begin(queue, left)) {
            int count = taken;
            done = done || work.work(count);
            if (!finish(queue)) {
                break;
            }
            left -= count;
        }
        work.passed();
        return !away && left <= 0;
    }

    /** Serves what is available just now, and leaves the rest to who will be notified of it. */
    boolean handOver(DeviceQueue queue) {
        queue.enter();
        int available = queue.handOver();
        leave(queue);
        return pass(queue, available);
    }

    /** Drops what is at work, closes the section, and has the queue give nothing any more. */
    void giveUp(DeviceQueue queue) {
        drop();
        answered = 0;
        try {
            queue.giveUp();
        } catch (RuntimeException | Error fault) {
            foreign = FirstFailure.join(foreign, fault);
        }
    }

    /** Hands out, once, what the callbacks of other devices have thrown. */
    @Nullable Throwable takeForeign() {
        Throwable thrown = foreign;
        foreign = null;
        return thrown;
    }

    Chain chain(int slot) {
        return chains[slot];
    }

    /** Ends a section. The device that hears of its faults then may throw, which is no fault of this queue's. */
    void leave(DeviceQueue queue) {
        try {
            queue.leave();
        } catch (RuntimeException | Error fault) {
            foreign = FirstFailure.join(foreign, fault);
        }
    }

    /** Makes the last batch visible and takes the next one; false if there is none, or none can be had. */
    private boolean begin(DeviceQueue queue, int left) {
        boolean lingers = left > 0 && work.lingers();
        look(queue, left, !lingers);
        while (lingers && taken == 0) {
            Thread.onSpinWait();
            lingers = work.lingers();
            look(queue, left, !lingers);
        }
        return taken > 0 && !away;
    }

    private void look(DeviceQueue queue, int left, boolean enable) {
        boolean interrupted;
        boolean visible;
        queue.enter();
        try {
            interrupted = queue.publish();
            visible = queue.isReachable();
            away = queue.isAway();
            if (taken == 0) {
                takeBatch(queue, Math.min(left, work.room()), enable);
            } else {
                resume(queue);
            }
        } finally {
            leave(queue);
        }
        if (visible && answered > 0) {
            int count = answered;
            answered = 0;
            work.published(count, interrupted);
        }
        if (interrupted) {
            interrupt.run();
        }
    }

    private void takeBatch(DeviceQueue queue, int most, boolean enable) {
        int limit = Math.min(most, chains.length);
        if (limit <= 0) {
            return;
        }
        queue.disableNotifications();
        while (taken < limit && queue.poll(chains[taken])) {
            work.take(taken, chains[taken]);
            taken++;
        }
        if (taken == 0 && enable && queue.pollOrEnable(chains[0])) {
            taken = 1;
            work.take(0, chains[0]);
        }
    }

    /** Goes on with a batch that was held, as soon as memory is back. */
    private void resume(DeviceQueue queue) {
        if (chains[0].isCutOff() || !(queue.isReachable() || away)) {
            drop();
        } else if (!away && !done) {
            for (int i = 0; i < taken; i++) {
                work.take(i, chains[i]);
            }
        }
    }

    private boolean finish(DeviceQueue queue) {
        queue.enter();
        try {
            away = isHeld(queue);
            for (int i = 0; i < taken && !away; i++) {
                work.answer(i, chains[i]);
                queue.complete(chains[i]);
            }
        } finally {
            leave(queue);
        }
        if (away) {
            return false;
        }
        int count = taken;
        answered += count;
        taken = 0;
        done = false;
        work.beforePublish(count);
        return true;
    }

    /** A batch waits for memory that is being exchanged, and for nothing else. */
    private boolean isHeld(DeviceQueue queue) {
        return !chains[0].isCutOff() && (queue.isAway() || (!done && queue.isReachable()));
    }

    private void drop() {
        for (Chain chain : chains) {
            chain.drop();
        }
        taken = 0;
        done = false;
    }
}
