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
    private final QueueLoop loop;
    private final boolean atOnce;
    private final Chain[] chains;

    /** Has completed chains given back, by whatever thread serves the queue. */
    private Runnable completion;

    /** What is answered later; null until the first such chain. */
    private @Nullable KeptChains kept;

    /** The queue that the chains belong to. */
    private @Nullable DeviceQueue ring;

    /** How many chains are at work or held, and whether their work is done and only the answer is missing. */
    private int taken;
    private boolean done;

    /** Whether the work has kept the chain of the batch, which is answered later. */
    private boolean moved;

    /** How many of them have their answer, while one waits for the memory that its answer goes to. */
    private int replied;

    /** When memory can be had, by the last section; while it is {@link Reach#LATER}, nothing more is taken. */
    private Reach reach = Reach.NOW;

    /** How many chains the driver cannot see yet. */
    private int answered;

    /** How many were given back in all; a caller that counts compares two readings. */
    private long given;

    /** What came out of the callbacks of other devices, which hear of faults when a section ends. */
    private @Nullable Throwable foreign;

    /**
     * Starts with empty slots.
     *
     * @param work what is done with a batch
     * @param loop asked for an interrupt after each batch that the driver wants one for
     */
    BatchServer(QueueWork work, QueueLoop loop) {
        this.work = work;
        this.loop = loop;
        this.completion = loop::look;
        this.atOnce = work.answersAtOnce();
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
            abandonKept();
            ring = queue;
        }
        int left = atOnce ? answerAll(queue, most) : serveAll(queue, most);
        work.passed();
        return reach != Reach.LATER && left <= 0;
    }

    /** Serves what is available just now; the driver notifies of what it adds after that. */
    boolean handOver(DeviceQueue queue) {
        queue.enter();
        int available = queue.handOver();
        leave(queue);
        return pass(queue, available);
    }

    /** Whether there is something to do: one section, and one look at the driver's index. */
    boolean isDue(DeviceQueue queue) {
        queue.enter();
        try {
            return queue.isReachable() && (taken > 0 || answered > 0 || isKeptDue() || queue.hasAvailable());
        } finally {
            leave(queue);
        }
    }

    long given() {
        return given;
    }

    /** Drops what is at work, closes the section, and has the queue give nothing any more. */
    void giveUp(DeviceQueue queue) {
        drop();
        abandonKept();
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

    void completeBy(Runnable handOn) {
        completion = handOn;
    }

    Chain chain(int slot) {
        return chains[slot];
    }

    /** Has the chain of a batch of one answered later. From within the work. */
    KeptChain keep(DeviceQueue queue) {
        if (taken != 1 || moved) {
            throw new IllegalStateException("taken=" + taken + ", but only the chain of a batch of one can be kept");
        }
        KeptChains later = kept;
        if (later == null) {
            later = new KeptChains(loop, completion);
            kept = later;
        }
        moved = true;
        return later.keep(chains, 0, queue);
    }

    /**
     * Ends a section. The device that hears of its faults then may throw, which is no fault of this queue's; an access
     * to memory that was cut short is.
     */
    void leave(DeviceQueue queue) {
        try {
            queue.leave();
        } catch (RuntimeException | Error fault) {
            if (LostMemory.is(fault)) {
                throw fault;
            }
            foreign = FirstFailure.join(foreign, fault);
        }
    }

    private int serveAll(DeviceQueue queue, int most) {
        int left = most;
        while (begin(queue, left)) {
            int count = taken;
            done = done || work.work(count, loop);
            if (moved) {
                empty();
            } else if (!finish(queue)) {
                break;
            }
            left -= count;
        }
        return left;
    }

    private int answerAll(DeviceQueue queue, int most) {
        int left = most;
        int count;
        do {
            count = answerBatch(queue, Math.min(left, chains.length));
            left -= count;
        } while (count == chains.length && left > 0 && work.room() > 0);
        return left;
    }

    /** Takes and answers buffers in one section, in which they become visible, too. */
    private int answerBatch(DeviceQueue queue, int most) {
        int count = 0;
        boolean interrupted;
        boolean visible;
        queue.enter();
        try {
            judge(queue);
            while (count < most && takeOne(queue) && answer()) {
                queue.complete(chains[0]);
                empty();
                count++;
            }
            interrupted = queue.publish();
            visible = queue.isReachable();
        } finally {
            leave(queue);
        }
        answered += count;
        given += count;
        tellPublished(visible, interrupted);
        return count;
    }

    /** Whether the first slot has a buffer, be it one that was held. */
    private boolean takeOne(DeviceQueue queue) {
        if (taken == 0 && work.room() > 0) {
            queue.disableNotifications();
            taken = queue.pollOrEnable(chains[0]) ? 1 : 0;
        }
        return taken > 0 && reach != Reach.LATER;
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
        return taken > 0 && reach != Reach.LATER;
    }

    private void look(DeviceQueue queue, int left, boolean enable) {
        KeptChains later = kept;
        if (later != null && later.isDue()) {
            giveBack(later, queue);
        }
        boolean interrupted;
        boolean visible;
        queue.enter();
        try {
            interrupted = queue.publish();
            visible = queue.isReachable();
            boolean held = taken > 0;
            judge(queue);
            if (held) {
                takeAgain();
            } else {
                takeBatch(queue, Math.min(left, work.room()), enable);
            }
        } finally {
            leave(queue);
        }
        tellPublished(visible, interrupted);
    }

    /** In sections of their own, each as short as any. */
    private void giveBack(KeptChains later, DeviceQueue queue) {
        boolean more;
        do {
            queue.enter();
            try {
                more = later.giveBack(queue);
            } finally {
                leave(queue);
            }
        } while (more);
        int count = later.takeGiven();
        answered += count;
        given += count;
    }

    private void tellPublished(boolean visible, boolean interrupted) {
        if (visible && answered > 0) {
            int count = answered;
            answered = 0;
            work.published(count, interrupted);
        }
        if (interrupted) {
            loop.interrupt();
        }
    }

    private void takeBatch(DeviceQueue queue, int most, boolean enable) {
        int limit = Math.min(most, chains.length);
        if (limit <= 0) {
            return;
        }
        queue.disableNotifications();
        int count = 0;
        while (count < limit && queue.poll(chains[count])) {
            work.take(count, chains[count]);
            count++;
        }
        if (count == 0 && enable && queue.pollOrEnable(chains[0])) {
            count = 1;
            work.take(0, chains[0]);
        }
        taken = count;
    }

    /** Goes on with a batch that was held, if memory is back; what was dropped is not taken again. */
    private void takeAgain() {
        if (reach == Reach.NOW && !done) {
            for (int i = 0; i < taken; i++) {
                work.takeAgain(i, chains[i]);
            }
        }
    }

    /** At the start of a section: finds out when memory can be had, and drops a batch that was held for nothing. */
    private void judge(DeviceQueue queue) {
        reach = taken > 0 ? Reach.of(queue, chains[0]) : Reach.of(queue);
        if (taken > 0 && reach == Reach.NEVER) {
            drop();
            reach = Reach.of(queue);
        }
    }

    private boolean finish(DeviceQueue queue) {
        queue.enter();
        try {
            reach = Reach.of(queue, chains[0]);
            if (reach == Reach.NOW && !done) {
                // The ring is there, but a buffer was not.
                reach = Reach.LATER;
            }
            int count = reach != Reach.LATER && answer() ? taken : 0;
            for (int i = 0; i < count; i++) {
                queue.complete(chains[i]);
            }
        } finally {
            leave(queue);
        }
        if (reach == Reach.LATER) {
            return false;
        }
        int count = taken;
        answered += count;
        given += count;
        empty();
        work.beforePublish(count);
        return true;
    }

    /**
     * Writes all answers before the first buffer is given back: of a batch that waits the ring knows nothing, so that
     * it can still be dropped as a whole. False if an answer has to wait.
     */
    private boolean answer() {
        int count = taken;
        for (int i = replied; i < count; i++) {
            if (!work.answer(i, chains[i]) && reach == Reach.NOW) {
                replied = i;
                reach = Reach.LATER;
                return false;
            }
        }
        return true;
    }

    private boolean isKeptDue() {
        return kept != null && kept.isDue();
    }

    private void abandonKept() {
        if (kept != null) {
            kept.abandon();
        }
    }

    private void drop() {
        for (Chain chain : chains) {
            chain.drop();
        }
        empty();
    }

    private void empty() {
        taken = 0;
        replied = 0;
        done = false;
        moved = false;
    }
}
