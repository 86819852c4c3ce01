// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness.console;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.io.InputStream;
import java.io.Writer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/**
 * QEMU as a child process, from its start to its end. The calling thread does everything: it passes on what the guest
 * says, and ends QEMU when the user wants it, when the guest has been silent for too long, or when it takes too long
 * altogether. When {@link #run} returns or throws, QEMU has ended.
 */
public final class QemuProcess {

    private static final long LOOK_AGAIN_MILLIS = 20;
    private static final long PATIENCE_SECONDS = 5;

    private final List<String> command;
    private final Limits limits;
    private final BooleanSupplier interrupted;

    /**
     * Prepares a run.
     *
     * @param command program and arguments
     * @param limits when to give up
     * @param interrupted whether the user wants the guest to end
     */
    public QemuProcess(List<String> command, Limits limits, BooleanSupplier interrupted) {
        this.command = command;
        this.limits = limits;
        this.interrupted = interrupted;
    }

    /**
     * When to give a guest up.
     *
     * @param silence after this time without a word
     * @param total after this time in any case
     */
    public record Limits(Duration silence, Duration total) {
        /** Where processors are slow and busy the longest silence of a sane guest is some seconds. */
        public static final Limits DEFAULT = new Limits(Duration.ofMinutes(2), Duration.ofMinutes(15));
        /** Where a user works in the guest. */
        public static final Limits NONE =
                new Limits(Duration.ofNanos(Long.MAX_VALUE), Duration.ofNanos(Long.MAX_VALUE));
    }

    /** How a run came to its end. */
    public enum End {
        /** QEMU has ended with status 0: the guest has switched the machine off, or has reset it where that ends it. */
        SWITCHED_OFF,
        /** QEMU has ended by itself with another status. */
        CRASHED,
        /** The user wanted it. */
        INTERRUPTED,
        /** The guest was silent for too long. */
        SILENT,
        /** It took too long. */
        TOO_LONG;

        /** Why it was not the guest that ended it, in words for the user; nothing if it was. */
        public Optional<String> trouble() {
            return switch (this) {
                case SWITCHED_OFF -> Optional.empty();
                case CRASHED -> Optional.of("QEMU has ended with an error");
                case INTERRUPTED -> Optional.of("interrupted");
                case SILENT -> Optional.of("the guest has said nothing for " + Limits.DEFAULT.silence().toSeconds()
                        + " s");
                case TOO_LONG -> Optional.of("the guest was not done after " + Limits.DEFAULT.total().toMinutes()
                        + " min");
            };
        }
    }

    /**
     * Runs QEMU with a lower priority than this process. A virtual processor spins while it waits for an answer. If the
     * host has no processor left, this process must run before it, or each answer waits for the end of a time slice.
     */
    public static List<String> behindUs(List<String> qemu) {
        List<String> words = new ArrayList<>(List.of("nice", "-n", "10"));
        words.addAll(qemu);
        return words;
    }

    /** Runs QEMU without input; each line of the console is passed on when it is complete. */
    public End run(Consumer<String> listener) throws IOException {
        Process qemu = new ProcessBuilder(command).redirectErrorStream(true).start();
        try (InputStream console = qemu.getInputStream()) {
            qemu.getOutputStream().close();
            LineSplitter lines = new LineSplitter(listener);
            End end = listen(qemu, console, lines);
            lines.finish();
            return end;
        } finally {
            end(qemu);
        }
    }

    /**
     * Runs QEMU with somebody at its console.
     *
     * @param typist is given each line when it is complete, and returns what is typed then
     */
    public End talk(UnaryOperator<String> typist) throws IOException {
        Process qemu = new ProcessBuilder(command).redirectErrorStream(true).start();
        try (InputStream console = qemu.getInputStream(); Writer keyboard = qemu.outputWriter(US_ASCII)) {
            LineSplitter lines = new LineSplitter(line -> type(keyboard, typist.apply(line)));
            End end = listen(qemu, console, lines);
            lines.finish();
            return end;
        } finally {
            end(qemu);
        }
    }

    private static void type(Writer keyboard, String text) {
        if (text.isEmpty()) {
            return;
        }
        try {
            keyboard.write(text);
            keyboard.flush();
        } catch (IOException unheard) {
            // QEMU has ended; the end of the run says so.
        }
    }

    /** Runs QEMU with this process's own input and output, which is the terminal, and does not listen. */
    public End runInTerminal() throws IOException {
        Process qemu = new ProcessBuilder(command).inheritIO().start();
        try {
            while (qemu.isAlive()) {
                if (interrupted.getAsBoolean()) {
                    return End.INTERRUPTED;
                }
                pause(qemu);
            }
            return qemu.exitValue() == 0 ? End.SWITCHED_OFF : End.CRASHED;
        } finally {
            end(qemu);
        }
    }

    private End listen(Process qemu, InputStream console, LineSplitter lines) throws IOException {
        byte[] buffer = new byte[1 << 16];
        long start = System.nanoTime();
        long heard = start;
        while (true) {
            boolean alive = qemu.isAlive(); // before looking, so that its last words are not missed
            int available = console.available();
            if (available > 0) {
                lines.take(buffer, console.read(buffer, 0, Math.min(available, buffer.length)));
                heard = System.nanoTime();
            } else if (!alive) {
                return qemu.exitValue() == 0 ? End.SWITCHED_OFF : End.CRASHED;
            } else {
                pause(qemu);
            }
            long now = System.nanoTime();
            if (interrupted.getAsBoolean()) {
                return End.INTERRUPTED;
            }
            if (now - heard > limits.silence().toNanos()) {
                return End.SILENT;
            }
            if (now - start > limits.total().toNanos()) {
                return End.TOO_LONG;
            }
        }
    }

    private static void pause(Process qemu) {
        try {
            boolean ignored = qemu.waitFor(LOOK_AGAIN_MILLIS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException unexpected) {
            throw new IllegalStateException("unexpected interrupt of this thread", unexpected);
        }
    }

    /** Asks QEMU to end, and kills it if it does not. */
    private static void end(Process qemu) {
        try {
            if (qemu.isAlive()) {
                qemu.destroy();
                if (!qemu.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                    qemu.destroyForcibly().waitFor();
                }
            }
        } catch (InterruptedException unexpected) {
            qemu.destroyForcibly();
            throw new IllegalStateException("unexpected interrupt of this thread", unexpected);
        }
    }
}
