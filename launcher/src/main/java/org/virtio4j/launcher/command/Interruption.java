// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher.command;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** The user's wish to end a command early, and the end of the command, which the JVM then waits for. */
public final class Interruption {

    private static final long PATIENCE_SECONDS = 20;

    /** As long as nobody wonders. */
    private static final long SILENCE_SECONDS = 1;

    private final CountDownLatch finished = new CountDownLatch(1);
    private volatile boolean requested;

    /** Guarded by this object's monitor, with what follows. */
    private String doing = "ending";
    private boolean nothingToEnd;

    /** Whether the JVM ends without waiting for the command. */
    private boolean abandoned;

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

    /**
     * Says what the command is at, for a user who has asked it to end and waits.
     *
     * @param what such as {@code closing machine guest}
     */
    public synchronized void doing(String what) {
        while (abandoned) {
            // The JVM is about to end, and nobody would take back what is begun now.
            LockSupport.park(this);
        }
        doing = what;
        nothingToEnd = false;
    }

    /**
     * The same while the command has begun nothing that it would have to end: the JVM does not wait for it then, who
     * may himself be waiting, for somebody to write to a pipe for one.
     *
     * @param what such as {@code reading vm.conf}
     */
    public synchronized void preparing(String what) {
        doing = what;
        nothingToEnd = true;
    }

    /** The command has said all it has to say. */
    public void finished() {
        finished.countDown();
    }

    private void requestAndWait() {
        request();
        if (abandon()) {
            return;
        }
        try {
            if (!finished.await(SILENCE_SECONDS, TimeUnit.SECONDS)) {
                System.err.println("virtio4j: still " + doing() + "; ends within " + PATIENCE_SECONDS + " s anyway");
                // If it takes too long, the JVM ends all the same; there is nobody left to tell.
                boolean ignored = finished.await(PATIENCE_SECONDS - SILENCE_SECONDS, TimeUnit.SECONDS);
            }
        } catch (InterruptedException impatient) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized boolean abandon() {
        abandoned = nothingToEnd;
        return abandoned;
    }

    private synchronized String doing() {
        return doing;
    }
}
