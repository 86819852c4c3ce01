// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.function.IntSupplier;
import org.agrona.concurrent.BackoffIdleStrategy;
import org.agrona.concurrent.BusySpinIdleStrategy;
import org.agrona.concurrent.IdleStrategy;
import org.agrona.concurrent.SleepingIdleStrategy;
import org.agrona.concurrent.YieldingIdleStrategy;
import org.virtio4j.serving.plan.Idling;
import org.virtio4j.serving.watch.DeviceNotices;

/**
 * Polls one device on a thread of its own until it is ended. Each polled device has one. With one thread for all, the
 * IOMMU would wait while a disk waits for its file; with one for each queue, the threads would take as many processors
 * as the guest has.
 */
final class PollingThread {

    /** After this the thread is left alone until the host answers. It is a daemon and does not keep the JVM alive. */
    private static final Duration PATIENCE = Duration.ofSeconds(2);

    private final IntSupplier device;
    private final BooleanSupplier hasClient;
    private final IdleStrategy idle;

    /** Used while there is no client, whose requests would have to be found quickly. */
    private final IdleStrategy alone = new BackoffIdleStrategy();
    private final DeviceNotices told;
    private final AtomicLong found = new AtomicLong();
    private final Thread thread;
    private volatile boolean ended;

    private PollingThread(String name, IntSupplier device, BooleanSupplier hasClient, Idling idling,
            DeviceNotices told) {
        this.device = device;
        this.hasClient = hasClient;
        this.idle = strategy(idling);
        this.told = told;
        this.thread = Thread.ofPlatform().daemon().name("virtio4j polls " + name).unstarted(this::run);
    }

    /** Begins; the device says how much it found each time. Without a client the thread keeps no processor busy. */
    static PollingThread start(String name, IntSupplier device, BooleanSupplier hasClient, Idling idling,
            DeviceNotices told) {
        PollingThread polling = new PollingThread(name, device, hasClient, idling, told);
        polling.thread.start();
        return polling;
    }

    private static IdleStrategy strategy(Idling idling) {
        return switch (idling) {
            case SPIN -> new BusySpinIdleStrategy();
            case YIELD -> new YieldingIdleStrategy();
            case BACKOFF -> new BackoffIdleStrategy();
            case SLEEP -> new SleepingIdleStrategy();
        };
    }

    /** How much was found so far. */
    long found() {
        return found.get();
    }

    /** Has the thread end when the device lets it; {@link #await} waits for that. */
    void end() {
        ended = true;
    }

    /** Waits for the thread's end, but not for long. */
    void await() {
        boolean interrupted = Thread.interrupted();
        try {
            boolean ignored = thread.join(PATIENCE);
        } catch (InterruptedException again) {
            interrupted = true;
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        while (!ended) {
            int count = poll();
            if (count > 0) {
                found.addAndGet(count);
            }
            (count > 0 || hasClient.getAsBoolean() ? idle : alone).idle(count);
        }
    }

    /** An exception is a bug of this project or comes from the way to the guest. Polling goes on. */
    private int poll() {
        try {
            return device.getAsInt();
        } catch (RuntimeException | Error mistake) {
            told.failed(mistake);
            return 0;
        }
    }
}
