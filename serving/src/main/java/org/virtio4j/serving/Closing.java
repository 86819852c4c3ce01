// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Closes several things, one after the other or at the same time, and goes on when one of them throws. At the end the
 * first exception is thrown. Used by one thread.
 */
final class Closing {

    private final List<Exception> troubles = new ArrayList<>();

    /** Closes one thing. */
    void one(Step step) {
        try {
            step.close();
        } catch (IOException | RuntimeException trouble) {
            add(trouble);
        }
    }

    /**
     * Closes several things at the same time, because each may have to wait for a while. If the system has no thread
     * for one of them, this thread closes it.
     */
    void allAtOnce(List<? extends Step> steps) {
        List<Thread> threads = new ArrayList<>();
        for (Step step : steps) {
            try {
                threads.add(Thread.ofPlatform().name("closing").start(() -> one(step)));
            } catch (OutOfMemoryError noThread) {
                one(step);
            }
        }
        threads.forEach(Closing::join);
    }

    /** Throws the first exception, if there was one. */
    void finish() throws IOException {
        if (!troubles.isEmpty()) {
            Exception first = troubles.getFirst();
            throw first instanceof IOException trouble ? trouble : new IOException(first.toString(), first);
        }
    }

    private synchronized void add(Exception trouble) {
        troubles.add(trouble);
    }

    private static void join(Thread thread) {
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException again) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Closes one thing. */
    @FunctionalInterface
    interface Step {

        void close() throws IOException;
    }
}
