// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** The user's wish to end a command early, and the end of the command, which the JVM then waits for. */
final class Interruption {

    private static final long PATIENCE_SECONDS = 20;

    private final CountDownLatch finished = new CountDownLatch(1);
    private volatile boolean requested;

    /** A wish that Ctrl-C or the end of the session expresses. The JVM ends with the status of the signal. */
    static Interruption bySignal() {
        Interruption interruption = new Interruption();
        Runtime.getRuntime().addShutdownHook(new Thread(interruption::requestAndWait, "interruption"));
        return interruption;
    }

    /** Asks the command to end soon. */
    void request() {
        requested = true;
    }

    boolean requested() {
        return requested;
    }

    /** The command has said all it has to say. */
    void finished() {
        finished.countDown();
    }

    private void requestAndWait() {
        request();
        try {
            // If it takes too long, the JVM ends all the same; there is nobody left to tell.
            boolean ignored = finished.await(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException impatient) {
            Thread.currentThread().interrupt();
        }
    }
}
