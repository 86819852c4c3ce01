// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.virtio4j.fixture.Parked;

/** A terminal that takes as many bytes as the test gives it room for, and keeps them all. */
final class SlowTerminal implements ConsoleTerminal {

    private final ByteArrayOutputStream taken = new ByteArrayOutputStream();
    private final AtomicLong room = new AtomicLong();
    private final AtomicInteger refused = new AtomicInteger();
    private final AtomicInteger inputTaken = new AtomicInteger();
    private volatile Runnable onInputTaken = () -> { };
    private volatile boolean broken;

    /** A terminal that always has room. */
    static SlowTerminal endless() {
        SlowTerminal terminal = new SlowTerminal();
        terminal.room.set(Long.MAX_VALUE / 2);
        return terminal;
    }

    @Override
    public void write(ByteBuffer bytes) throws IOException {
        if (broken) {
            throw new IOException("the line is cut");
        }
        int length = (int) Math.min(bytes.remaining(), room.get());
        byte[] copy = new byte[length];
        bytes.get(copy);
        synchronized (taken) {
            taken.writeBytes(copy);
        }
        room.addAndGet(-length);
        if (length == 0) {
            refused.incrementAndGet();
        }
    }

    @Override
    public void inputTaken() {
        inputTaken.incrementAndGet();
        onInputTaken.run();
    }

    /** Gives it room; the console must be told. */
    void room(long bytes) {
        refused.set(0);
        room.addAndGet(bytes);
    }

    void broken(boolean now) {
        broken = now;
    }

    void onInputTaken(Runnable action) {
        onInputTaken = action;
    }

    byte[] bytes() {
        synchronized (taken) {
            return taken.toByteArray();
        }
    }

    int inputsTaken() {
        return inputTaken.get();
    }

    /** Waits until it has so many bytes, and has refused more. */
    void awaitFull(int bytes) {
        Parked.until(() -> bytes().length == bytes && refused.get() > 0);
    }
}
