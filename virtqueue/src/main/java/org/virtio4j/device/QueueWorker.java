// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;

/**
 * A thread that serves one queue during one activation. It idles as it was told; a kick wakes it when it is parked.
 *
 * <p>A callback of the embedder may interrupt any thread, so an interrupt means nothing here and is cleared.
 */
final class QueueWorker {

    private final QueueLoop loop;
    private final Runnable handOn;
    private final IntConsumer idle;
    private final Thread thread;

    /**
     * There may be something to do. The kicking thread and the worker both read and write this in one step. So either
     * the worker sees what was made available before the kick, or the kicking thread sees that it has to wake the
     * worker.
     */
    private final AtomicBoolean kicked = new AtomicBoolean();
    private volatile boolean stopping;

    private QueueWorker(QueueLoop loop, String name, Runnable handOn, IntConsumer idle) {
        this.loop = loop;
        this.handOn = handOn;
        this.idle = idle;
        this.thread = new Thread(this::run, name);
        thread.setDaemon(true);
    }

    /**
     * Starts a thread. A driver may reset and restart the device from within an interrupt, on this same thread. The
     * next worker then finds this one still serving and leaves its kicks to it, so they are handed on at the end.
     *
     * @param idle called after each look with how much was done, 0 or 1
     */
    static QueueWorker start(QueueLoop loop, String name, Runnable handOn, IntConsumer idle) {
        QueueWorker worker = new QueueWorker(loop, name, handOn, idle);
        worker.thread.start();
        return worker;
    }

    /** Parks until there is something to do. */
    static void park(int done) {
        if (done == 0) {
            // Returns at once where a kick came since the last look.
            LockSupport.park();
        }
    }

    /** Says that there may be something to do. Any thread. */
    void wake() {
        if (!kicked.getAndSet(true)) {
            LockSupport.unpark(thread);
        }
    }

    /** Has the thread end after its present chain, however long that takes; {@link #isOver} says when it has. */
    void stop() {
        stopping = true;
        LockSupport.unpark(thread);
    }

    /**
     * Whether the thread has ended. True also for the thread itself, in a callback: it would wait for itself.
     */
    @SuppressWarnings("ReferenceEquality") // which thread it is, is the question
    boolean isOver() {
        return !thread.isAlive() || thread == Thread.currentThread();
    }

    private void run() {
        while (!stopping) {
            int done = serve();
            if (!stopping) {
                // The next worker may idle by now, if the device was started again by an interrupt of this one.
                idle(done);
            }
        }
        try {
            handOn.run();
        } catch (RuntimeException | Error failure) {
            report(failure);
        }
    }

    /**
     * Serves one pass, if there may be something to do; returns how many passes that were. A mistake of the device or
     * of a callback is shown like that of any thread, and the worker goes on: the device has said by now that it needs
     * a reset.
     */
    private int serve() {
        if (!kicked.get() || !kicked.getAndSet(false)) {
            return 0;
        }
        try {
            if (loop.serve()) {
                kicked.set(true);
            }
        } catch (RuntimeException | Error failure) {
            report(failure);
            // It may be another device's, after which this queue goes on; a queue that has failed serves nothing.
            kicked.set(true);
        } finally {
            boolean ignored = Thread.interrupted();
        }
        return 1;
    }

    /** The embedder's way to idle may fail as any callback may. */
    private void idle(int done) {
        try {
            idle.accept(done);
        } catch (RuntimeException | Error failure) {
            report(failure);
        } finally {
            boolean ignored = Thread.interrupted();
        }
    }

    @SuppressWarnings("EmptyCatch") // there is nobody left to tell
    private static void report(Throwable failure) {
        Thread self = Thread.currentThread();
        try {
            self.getUncaughtExceptionHandler().uncaughtException(self, failure);
        } catch (RuntimeException | Error again) {
            // The handler is the embedder's, too, and must not end the thread either.
        }
    }
}
