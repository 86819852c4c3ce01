// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.AgentRunner;
import org.agrona.concurrent.AgentTerminationException;
import org.agrona.concurrent.IdleStrategy;
import org.virtio4j.device.DeviceContext;

/**
 * A thread that serves one queue during one activation. It idles as its strategy says; a kick wakes it when it is
 * parked.
 */
final class QueueWorker implements Agent {

    private final QueueServer server;
    private final DeviceContext context;
    private final String name;
    private final Thread thread;

    /**
     * There may be something to do. Kicker and worker both read and write it at once: so either the worker sees what
     * was made available before the kick, or the kicker sees that it has to wake the worker.
     */
    private final AtomicBoolean kicked = new AtomicBoolean();
    private volatile boolean stopping;

    private QueueWorker(QueueServer server, DeviceContext context, String name, IdleStrategy idleStrategy) {
        this.server = server;
        this.context = context;
        this.name = name;
        AgentRunner runner = new AgentRunner(idleStrategy, QueueWorker::report, null, this);
        this.thread = new Thread(runner, name);
        thread.setDaemon(true);
    }

    static QueueWorker start(QueueServer server, DeviceContext context, String name, IdleStrategy idleStrategy) {
        QueueWorker worker = new QueueWorker(server, context, name, idleStrategy);
        worker.thread.start();
        return worker;
    }

    /** Says that there may be something to do. Any thread. */
    void wake() {
        if (!kicked.getAndSet(true)) {
            LockSupport.unpark(thread);
        }
    }

    /** Ends the thread and waits for its end, however long its present chain takes. Any thread but this one. */
    void stop() {
        stopping = true;
        LockSupport.unpark(thread);
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException stopped) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public int doWork() {
        if (stopping) {
            throw new AgentTerminationException();
        }
        if (!kicked.get() || !kicked.getAndSet(false)) {
            return 0;
        }
        int served = server.serve(context);
        if (served > 0) {
            // It may have ended at its bound, so look once more.
            kicked.set(true);
        }
        // The runner ends at an interrupt, and whom the embedder's callbacks interrupt is not known.
        Thread.interrupted();
        return served;
    }

    @Override
    public String roleName() {
        return name;
    }

    /** A mistake of ours or of a callback: shown as any thread's would be, and the worker goes on. */
    private static void report(Throwable failure) {
        if (!(failure instanceof AgentTerminationException)) {
            Thread self = Thread.currentThread();
            self.getUncaughtExceptionHandler().uncaughtException(self, failure);
        }
    }
}
