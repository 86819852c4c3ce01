// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher.command;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** The user's wish to end a command early, and the end of the command, which the JVM then waits for. */
public final class Interruption {

    private static final long PATIENCE_SECONDS = 20;

    private final CountDownLatch finished = new CountDownLatch(1);
    private volatile boolean requested;

    /** Nobody's wish yet. */
    public Interruption() {
    }

    /**
     * A wish that Ctrl-C or the end of the session expresses. The JVM ends with the status of the signal.
     *
     * @return the wish of this JVM's user
     */
    public static Interruption bySignal() {
        Interruption interruption = new Interruption();
        Runtime.getRuntime().addShutdownHook(new Thread(interruption::requestAndWait, "interruption"));
        return interruption;
    }

    /** Asks the command to end soon. */
    public void request() {
        requested = true;
    }

    /**
     * Whether the command is to end soon. Any thread.
     *
     * @return true once it is
     */
    public boolean requested() {
        return requested;
    }

    /** The command has said all it has to say. */
    public void finished() {
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
