// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.function.BooleanSupplier;

/** Threads of a test: what they throw reaches the test, and waiting needs no checked exception. */
final class Threads {

    private Threads() {
    }

    /** Runs on a thread of its own; {@link #join} waits for it and throws what it threw. */
    static Future<?> start(String name, Runnable action) {
        FutureTask<?> task = new FutureTask<>(action, null);
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        thread.start();
        return task;
    }

    static void join(Future<?> running) {
        try {
            running.get();
        } catch (ExecutionException failed) {
            throw new AssertionError("a thread of the test failed", failed.getCause());
        } catch (InterruptedException stopped) {
            throw new IllegalStateException(stopped);
        }
    }

    static void runAndWait(Runnable action) {
        join(start("other", action));
    }

    /** Looks until it is so, and lets others run meanwhile: there may be fewer processors than threads. */
    @SuppressWarnings("ThreadPriorityCheck") // nothing rests on the yield but the time it takes
    static void awaitThat(BooleanSupplier condition) {
        for (int looks = 1; !condition.getAsBoolean(); looks++) {
            if (looks % 100 == 0) {
                Thread.yield();
            }
        }
    }

    static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException stopped) {
            throw new IllegalStateException(stopped);
        }
    }
}
