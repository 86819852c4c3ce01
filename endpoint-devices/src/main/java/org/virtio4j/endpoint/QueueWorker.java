// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.AgentRunner;
import org.agrona.concurrent.AgentTerminationException;
import org.agrona.concurrent.IdleStrategy;

/**
 * A thread that serves one queue during one activation. It idles as its strategy says; a kick wakes it when it is
 * parked.
 */
final class QueueWorker implements Agent {

    private final ChainServer server;
    private final String name;
    private final Runnable handOn;
    private final Thread thread;

    /**
     * There may be something to do. The kicking thread and the worker both read and write this in one step. So either
     * the worker sees what was made available before the kick, or the kicking thread sees that it has to wake the
     * worker.
     */
    private final AtomicBoolean kicked = new AtomicBoolean();
    private volatile boolean stopping;

    private QueueWorker(ChainServer server, String name, Runnable handOn, IdleStrategy idleStrategy) {
        this.server = server;
        this.name = name;
        this.handOn = handOn;
        AgentRunner runner = new AgentRunner(new Patient(idleStrategy), QueueWorker::report, null, this);
        this.thread = new Thread(runner, name);
        thread.setDaemon(true);
    }

    /**
     * Starts a thread. A driver may reset and restart the device from within an interrupt, on this same thread. The
     * next worker then finds this one still serving and leaves its kicks to it, so they are handed on at the end.
     */
    static QueueWorker start(ChainServer server, String name, Runnable handOn, IdleStrategy idleStrategy) {
        QueueWorker worker = new QueueWorker(server, name, handOn, idleStrategy);
        worker.thread.start();
        return worker;
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

    @Override
    public int doWork() {
        if (stopping) {
            handOn.run();
            throw new AgentTerminationException();
        }
        if (!kicked.get() || !kicked.getAndSet(false)) {
            return 0;
        }
        try {
            if (server.serve()) {
                kicked.set(true);
            }
        } catch (RuntimeException | Error failure) {
            // The runner would end at an Error. The device has said by now that it needs a reset; the thread lives on.
            report(failure);
        } finally {
            // The runner ends at an interrupt, and a callback of the embedder may interrupt any thread.
            Thread.interrupted();
        }
        return 1;
    }

    @Override
    public String roleName() {
        return name;
    }

    /** A mistake of this device or of a callback: it is shown like that of any thread, and the worker goes on. */
    @SuppressWarnings("EmptyCatch") // there is nobody left to tell
    private static void report(Throwable failure) {
        if (!(failure instanceof AgentTerminationException)) {
            Thread self = Thread.currentThread();
            try {
                self.getUncaughtExceptionHandler().uncaughtException(self, failure);
            } catch (RuntimeException | Error again) {
                // The handler is the embedder's, too, and must not end the thread either.
            }
        }
    }

    /**
     * The embedder's way to idle. The runner would end at an Error that it throws, and at an interrupt that it leaves.
     */
    private record Patient(IdleStrategy real) implements IdleStrategy {

        @Override
        public void idle(int workCount) {
            try {
                real.idle(workCount);
            } catch (RuntimeException | Error failure) {
                report(failure);
            } finally {
                Thread.interrupted();
            }
        }

        @Override
        public void idle() {
            // The runner calls the other one.
            real.idle();
        }

        @Override
        public void reset() {
            real.reset();
        }
    }
}
