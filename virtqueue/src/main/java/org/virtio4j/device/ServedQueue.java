// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device;

import java.util.Objects;
import java.util.function.BooleanSupplier;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * One queue of a {@link QueueDevice}: how it is served, and a way to have it served now. How it is served is said
 * before the device gets a transport; if nothing is said, the thread that notifies serves the queue before its
 * notification returns.
 */
public final class ServedQueue {

    private enum Serving { KICKS, WORKER, POLLS }

    private final int index;
    private final int size;
    private final QueueLoop loop;
    private final @Nullable HandlerWork handled;

    private Serving serving = Serving.KICKS;
    private String workerName = "";
    private IntConsumer idle = QueueWorker::park;

    /** The thread of the present activation, or of the last one; replaced under the device's lock. */
    private volatile @Nullable QueueWorker worker;

    ServedQueue(QueueLoop loop, int size, @Nullable HandlerWork handled) {
        this.index = loop.index();
        this.size = size;
        this.loop = loop;
        this.handled = handled;
    }

    /**
     * Has the queue served by a thread of its own, from {@code DRIVER_OK} to the next reset: for a handler that waits.
     * The thread parks while there is nothing to do. A reset waits for the handler that is at work; one that waits for
     * long is woken by the device's {@link VirtioDevice#stop} and {@link VirtioDevice#queueStopped}. What the handler
     * throws goes to the thread's handler of uncaught exceptions, and sets {@code DEVICE_NEEDS_RESET}.
     *
     * @param name of the thread
     * @return this
     */
    public ServedQueue byWorker(String name) {
        return byWorker(name, QueueWorker::park);
    }

    /**
     * Has the queue served by a thread of its own, from {@code DRIVER_OK} to the next reset.
     *
     * @param name   of the thread
     * @param idling called by that thread after each look, with 1 if it has served and 0 if not, as the {@code idle} of
     *               Agrona's idle strategies is. It may spin or park; a kick unparks the thread. Used by the thread of
     *               one activation after the other
     * @return this
     */
    public ServedQueue byWorker(String name, IntConsumer idling) {
        serving = Serving.WORKER;
        workerName = Objects.requireNonNull(name);
        idle = Objects.requireNonNull(idling);
        loop.completeBy(this::kick);
        return this;
    }

    /**
     * Has the queue served by {@link QueueDevice#poll} alone, for a polled device whose handler waits: a notification
     * that a driver sends all the same serves nothing.
     *
     * @return this
     */
    public ServedQueue byPollsAlone() {
        serving = Serving.POLLS;
        loop.completeBy(() -> { });
        return this;
    }

    /**
     * Has chains taken only while there is use for one: for a queue of buffers that the device fills when it has
     * something to say. {@link #look} must be called when the condition becomes true.
     *
     * @param useful the condition, asked by the thread that serves, inside a section and before each chain; must not
     *               wait
     * @return this
     * @throws IllegalStateException if the queue has no {@link ChainHandler}; see {@link QueueWork#room}
     */
    public ServedQueue onlyWhile(BooleanSupplier useful) {
        if (handled == null) {
            throw new IllegalStateException("handler=none; override QueueWork.room instead");
        }
        handled.onlyWhile(Objects.requireNonNull(useful));
        return this;
    }

    /**
     * Has the queue served as if its driver had notified. Any thread, the handler's own among them, under no lock that
     * the handler or an embedder's interrupt may wait for; before {@code DRIVER_OK} and after a reset nothing happens.
     * What the handler throws comes out where the calling thread is the one that serves.
     */
    public void look() {
        if (serving == Serving.KICKS) {
            loop.look();
        } else {
            kick();
        }
    }

    // For the device

    int size() {
        return size;
    }

    void kick() {
        switch (serving) {
            case KICKS -> loop.kick();
            case WORKER -> wake();
            // The thread that notifies does not wait for what the handler waits for.
            case POLLS -> loop.quieten();
        }
    }

    int poll() {
        return loop.poll();
    }

    void start(DeviceContext active) {
        loop.start(active);
    }

    /** Starts the worker, if the queue has one. Under the device's lock. */
    void startWorker() {
        if (serving == Serving.WORKER) {
            worker = QueueWorker.start(loop, workerName, this::wake, idle);
        }
    }

    void stopWorker() {
        QueueWorker present = worker;
        if (present != null) {
            present.stop();
        }
    }

    void stop() {
        loop.stop();
        stopWorker();
    }

    boolean isIdle() {
        QueueWorker present = worker;
        return (present == null || present.isOver()) && loop.isIdle();
    }

    @Override
    public String toString() {
        return "queue " + index;
    }

    private void wake() {
        QueueWorker present = worker;
        if (present != null) {
            present.wake();
        }
    }
}
