// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.virtio4j.endpoint.ConsoleTerminal;
import org.virtio4j.endpoint.VirtioConsole;

/**
 * The host's end of the console in workload {@code console}, which does what lines of the guest ask for; the script
 * {@code init} is the other end.
 *
 * <ul>
 * <li>{@code send}: types a MiB of random bytes, and a line with their checksum.
 * <li>{@code take}: a MiB and a line with its checksum follow; types {@code same} or {@code different}.
 * <li>{@code resize}: makes the console 132 columns wide and 50 rows high.
 * <li>{@code slow}: takes no byte for a second.
 * <li>{@code flood}: types lines for half a second, as fast as the guest takes them.
 * <li>{@code hello}: types {@code hello} on a line of its own.
 * <li>{@code begin}: types {@code first}, or {@code again} after a reset of the machine.
 * </ul>
 *
 * <p>Other lines are ignored, also those that a reset of the device has cut off. What takes time is done by a thread of
 * its own.
 */
final class ConsolePeer implements ConsoleTerminal {

    private static final int MIB = 1 << 20;
    private static final int LONGEST_LINE = 80;
    private static final int COLUMNS = 132;
    private static final int ROWS = 50;
    private static final int LINES = 50;
    private static final long FLOOD_NANOS = TimeUnit.MILLISECONDS.toNanos(500);
    private static final long SLOW_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final VirtioConsole console = new VirtioConsole(this);
    private final Thread worker = Thread.ofPlatform().daemon().name("console peer").unstarted(this::work);
    private final ConcurrentLinkedQueue<String> asked = new ConcurrentLinkedQueue<>();
    private volatile boolean closed;
    private volatile boolean slow;

    // The console's thread alone.
    private final StringBuilder line = new StringBuilder();
    private final byte[] taken = new byte[MIB];
    private int missing;

    /** The peer's own thread alone. */
    private boolean begun;

    private ConsolePeer() {
    }

    /** A console with a peer. */
    static VirtioConsole console() {
        ConsolePeer peer = new ConsolePeer();
        peer.worker.start();
        return peer.console;
    }

    @Override
    public void write(ByteBuffer bytes) {
        while (bytes.hasRemaining() && !slow) {
            if (missing > 0) {
                int length = Math.min(missing, bytes.remaining());
                bytes.get(taken, MIB - missing, length);
                missing -= length;
            } else {
                hear((char) bytes.get());
            }
        }
    }

    @Override
    public void closed() {
        closed = true;
        LockSupport.unpark(worker);
    }

    private void hear(char next) {
        if (next != '\n') {
            line.setLength(Math.min(line.length(), LONGEST_LINE));
            line.append(next);
            return;
        }
        String heard = line.toString();
        line.setLength(0);
        switch (heard) {
            case "take" -> missing = MIB;
            case "slow" -> {
                slow = true;
                ask(heard);
            }
            case "send", "resize", "flood", "hello", "begin" -> ask(heard);
            default -> {
                if (heard.startsWith("sum ")) {
                    ask(heard.equals("sum " + sum(taken)) ? "same" : "different");
                }
            }
        }
    }

    private void ask(String what) {
        asked.add(what);
        LockSupport.unpark(worker);
    }

    // The peer's own thread

    private void work() {
        while (!closed) {
            String next = asked.poll();
            if (next == null) {
                LockSupport.park(this);
            } else {
                answer(next);
            }
        }
    }

    private void answer(String what) {
        switch (what) {
            case "send" -> {
                byte[] bytes = new byte[MIB];
                new Random().nextBytes(bytes);
                type(bytes);
                type((sum(bytes) + "\n").getBytes(StandardCharsets.US_ASCII));
            }
            case "resize" -> console.resize(COLUMNS, ROWS);
            case "slow" -> {
                long began = System.nanoTime();
                while (System.nanoTime() - began < SLOW_NANOS && !closed) {
                    LockSupport.parkNanos(SLOW_NANOS);
                }
                slow = false;
                console.outputReady();
            }
            case "flood" -> flood();
            case "hello" -> type("\nhello\n".getBytes(StandardCharsets.US_ASCII));
            case "begin" -> {
                answer(begun ? "again" : "first");
                begun = true;
            }
            default -> type((what + "\n").getBytes(StandardCharsets.US_ASCII));
        }
    }

    /** Not as much as the console would keep: what is left over when its driver goes comes to the next one. */
    private void flood() {
        byte[] lines = "a line that nobody waits for\n".repeat(LINES).getBytes(StandardCharsets.US_ASCII);
        long began = System.nanoTime();
        long typed = console.counters().inputBytes();
        while (System.nanoTime() - began < FLOOD_NANOS && !closed) {
            if (console.counters().inputBytes() == typed) {
                typed += console.input(ByteBuffer.wrap(lines));
            }
        }
    }

    /** Types everything, when there is room for it. */
    private void type(byte[] bytes) {
        ByteBuffer rest = ByteBuffer.wrap(bytes);
        while (rest.hasRemaining() && !closed) {
            if (console.input(rest) == 0) {
                LockSupport.park(this);
            }
        }
    }

    @Override
    public void inputTaken() {
        LockSupport.unpark(worker);
    }

    private static String sum(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("MD5").digest(bytes));
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}
