// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher.serve;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Closes one thing after the other, or several at once, whatever each of them throws; in the end the first exception
 * comes out. One thread.
 */
final class Closing {

    private final List<Exception> troubles = new ArrayList<>();

    /** Closes one. */
    void one(Step step) {
        try {
            step.close();
        } catch (IOException | RuntimeException trouble) {
            add(trouble);
        }
    }

    /**
     * Closes several, each of which may have to wait for a while: their waits together are as long as the longest. What
     * the system has no thread for is closed on this one.
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
