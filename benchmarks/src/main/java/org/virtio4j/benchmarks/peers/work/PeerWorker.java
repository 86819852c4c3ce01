// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.peers.work;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.BiFunction;
import org.virtio4j.benchmarks.peers.input.KeyFile;
import org.virtio4j.benchmarks.peers.input.Keys;
import org.virtio4j.benchmarks.peers.result.PeerColumn;

/**
 * The program in Java beside those in C and Rust: reads a file of keys, says "ready", and answers commands, as the head
 * of {@code interval_tree.c} describes. It knows two commands more: {@code chase S}, the time of a load that waits for
 * the one before, and {@code bytes 0}, what the table takes off the heap.
 */
public final class PeerWorker {

    private static final double NANOS = 1e9;

    /** Instead of a column: the work is that of the device, as in {@code map_loop.c}. */
    public static final String DEVICE = "DEVICE";

    /** Work of the kind that is timed; gives the number of operations. */
    private interface Work {
        int run();
    }

    private final PeerWork work;

    private PeerWorker(PeerWork work) {
        this.work = work;
    }

    /**
     * Answers until nobody asks any more.
     *
     * @param args name of a {@link PeerColumn}, or DEVICE, and a file of keys
     * @throws IOException if the file or a command cannot be read
     */
    public static void main(String[] args) throws IOException {
        Keys keys = KeyFile.read(Path.of(args[1]));
        BiFunction<String, Double, String> worker = args[0].equals(DEVICE)
                ? new RequestWork(keys)::answer : new PeerWorker(new PeerWork(keys, table(args[0], keys)))::answer;
        System.out.println("ready");
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        for (String line = commands.readLine(); line != null; line = commands.readLine()) {
            String[] words = line.split(" ", 2);
            System.out.println(worker.apply(words[0], Double.parseDouble(words[1])));
        }
    }

    private static PeerTable table(String column, Keys keys) {
        return PeerColumn.valueOf(column) == PeerColumn.VIRTIO4J
                ? new OurTable(Math.max(keys.count(), keys.stepCount())) : new JavaTreeMap();
    }

    private String answer(String command, double seconds) {
        return switch (command) {
            case "check" -> Long.toUnsignedString(work.check());
            case "bytes" -> Long.toString(work.bytes());
            case "lookup" -> nanos(timed(work::lookUp, seconds));
            case "pair" -> nanos(timed(work::pair, seconds));
            case "walk" -> nanos(timed(work::walk, seconds));
            case "replay" -> nanos(timed(work::replay, seconds));
            case "chase" -> nanos(timed(work::chase, seconds));
            case "unmapAll" -> nanos(timedUnmapAll(seconds));
            default -> throw new IllegalArgumentException("command=" + command + ": expected one of those above");
        };
    }

    private static double timed(Work work, double seconds) {
        // A quarter first, so that what others have driven out of the caches is back.
        long begun = System.nanoTime();
        while (System.nanoTime() - begun < seconds * NANOS / 4) {
            work.run();
        }
        long operations = 0;
        long started = System.nanoTime();
        long took;
        do {
            operations += work.run();
            took = System.nanoTime() - started;
        } while (took < seconds * NANOS);
        return (double) took / operations;
    }

    /** Takes everything away and, untimed, makes it again. */
    private double timedUnmapAll(double seconds) {
        long begun = System.nanoTime();
        long took = 0;
        long operations = 0;
        do {
            long started = System.nanoTime();
            operations += work.removeAll();
            took += System.nanoTime() - started;
            work.fill();
        } while (System.nanoTime() - begun < seconds * NANOS);
        return (double) took / operations;
    }

    /** A figure as all programs write it. */
    static String nanos(double nanos) {
        return String.format(Locale.ROOT, "%.3f", nanos);
    }
}
