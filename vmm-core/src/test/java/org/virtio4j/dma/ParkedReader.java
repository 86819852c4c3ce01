// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.dma;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** A thread that stands inside a section of a handle until it is let go. */
final class ParkedReader implements AutoCloseable {

    private static final long PATIENCE_SECONDS = 20;

    private final CountDownLatch inside = new CountDownLatch(1);
    private final CountDownLatch go = new CountDownLatch(1);
    private final Thread thread;
    private volatile boolean failed = true;

    private ParkedReader(DmaHandle dma, Runnable first, Runnable last) {
        thread = new Thread(() -> {
            dma.enter();
            first.run();
            inside.countDown();
            await(go);
            last.run();
            dma.leave();
            failed = false;
        }, "parked reader");
    }

    /** Comes back when the thread is inside its section. */
    static ParkedReader in(DmaHandle dma) {
        return in(dma, () -> { }, () -> { });
    }

    /** The same, with something to do at the start of the section and at its end. */
    static ParkedReader in(DmaHandle dma, Runnable first, Runnable last) {
        ParkedReader reader = new ParkedReader(dma, first, last);
        reader.thread.start();
        await(reader.inside);
        return reader;
    }

    void letGo() {
        go.countDown();
    }

    @Override
    public void close() {
        letGo();
        finish(thread);
        assertFalse(failed, "the reader ended with an exception");
    }

    /** Ends the section that a failed test left open: whoever closes its memory would wait for it for ever. */
    static void leaveIfInside(DmaHandle dma) {
        try {
            dma.leave();
        } catch (IllegalStateException outside) {
            // As it should be.
        }
    }

    static void await(CountDownLatch latch) {
        try {
            assertTrue(latch.await(PATIENCE_SECONDS, TimeUnit.SECONDS), "nobody came");
        } catch (InterruptedException interrupted) {
            throw new AssertionError(interrupted);
        }
    }

    static void finish(Thread thread) {
        try {
            thread.join(TimeUnit.SECONDS.toMillis(PATIENCE_SECONDS));
        } catch (InterruptedException interrupted) {
            throw new AssertionError(interrupted);
        }
        assertFalse(thread.isAlive(), () -> thread.getName() + " does not end");
    }
}
