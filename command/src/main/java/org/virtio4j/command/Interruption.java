// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.command;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** The user's request to end a command early. The JVM then waits until the command has ended. */
public final class Interruption {

    private static final long PATIENCE_SECONDS = 20;

    /** A user who waits longer than this is told what takes so long. */
    private static final long SILENCE_SECONDS = 1;

    private final CountDownLatch finished = new CountDownLatch(1);
    private volatile boolean requested;

    /** Guarded by this object's monitor, with what follows. */
    private String doing = "ending";
    private boolean nothingToEnd;

    /** Whether the JVM ends without waiting for the command. */
    private boolean abandoned;

    /** Not requested yet. */
    public Interruption() {
    }

    /**
     * An interruption by Ctrl-C or by the end of the session. The JVM ends with the status of the signal.
     *
     * @return the interruption of this JVM
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
     * Says what the command does now, for a user who has interrupted it and waits.
     *
     * @param what such as {@code closing machine guest}
     */
    public synchronized void doing(String what) {
        while (abandoned) {
            // The JVM is about to end, and nothing that is begun now would be undone.
            LockSupport.park(this);
        }
        doing = what;
        nothingToEnd = false;
    }

    /**
     * The same while the command has begun nothing that it would have to undo. The JVM does not wait for it then: the
     * command may itself wait, for example for somebody to write to a pipe.
     *
     * @param what such as {@code reading vm.toml}
     */
    public synchronized void preparing(String what) {
        doing = what;
        nothingToEnd = true;
    }

    /** The command has ended and printed everything. */
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
                // If it takes longer, the JVM ends anyway.
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
