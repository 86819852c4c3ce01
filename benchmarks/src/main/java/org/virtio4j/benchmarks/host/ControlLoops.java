// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.host;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.Arrays;
import java.util.Locale;
import org.virtio4j.benchmarks.fixture.Shuffle;
import org.virtio4j.command.JsonOutput;

/**
 * Two loops that have nothing to do with this project, timed before and after the rows: if they took longer, something
 * else had the machine. One only calculates; in the other each load waits for the one before, over more memory than
 * the second-level cache holds.
 *
 * @param arithmeticNanos median of a step that shifts, multiplies and adds, in nanoseconds
 * @param chaseNanos      median of a dependent load, in nanoseconds
 * @param spread          how much longer the slowest pass took than the fastest: 0.1 for a tenth, of the worse loop
 */
public record ControlLoops(double arithmeticNanos, double chaseNanos, double spread) {

    private static final int PASSES_TO_WARM_UP = 5;
    private static final int PASSES = 7;
    private static final int ARITHMETIC_STEPS = 5_000_000;
    private static final int CHASE_STEPS = 500_000;
    private static final int CHASE_BYTES = 16 << 20;
    private static final int INTS_PER_LINE = 16;
    private static final double QUIET = 0.1;
    private static final long FACTOR = 6_364_136_223_846_793_005L;

    /** Where results go, so that the compiler does not leave the loops out. */
    private static volatile long sink;

    /** Takes a fraction of a second. */
    public static ControlLoops measure() {
        int[] chain = chain();
        double[] arithmetic = new double[PASSES];
        double[] chase = new double[PASSES];
        for (int pass = 0; pass < PASSES_TO_WARM_UP; pass++) {
            calculate();
            follow(chain);
        }
        for (int pass = 0; pass < PASSES; pass++) {
            long started = System.nanoTime();
            calculate();
            long between = System.nanoTime();
            follow(chain);
            arithmetic[pass] = (double) (between - started) / ARITHMETIC_STEPS;
            chase[pass] = (double) (System.nanoTime() - between) / CHASE_STEPS;
        }
        Arrays.sort(arithmetic);
        Arrays.sort(chase);
        return new ControlLoops(arithmetic[PASSES / 2], chase[PASSES / 2], Math.max(spread(arithmetic), spread(chase)));
    }

    String text() {
        return String.format(Locale.ROOT,
                "arithmetic %.2f ns a step, pointer chase over 16 MiB %.1f ns a step, spread %.0f %%",
                arithmeticNanos, chaseNanos, 100 * spread);
    }

    /** What the loops say of the time that lies between two measurements, in words. */
    public String verdict(ControlLoops later) {
        return "control at the end: " + later.text() + String.format(Locale.ROOT, "; moved by %.0f %%: %s",
                100 * change(later), quiet(later) ? "a quiet machine" : "a busy machine, so measure again");
    }

    /** Adds a member, an object. */
    public void writeTo(JsonGenerator json, String name) throws IOException {
        json.writeObjectFieldStart(name);
        JsonOutput.decimals(json, "arithmeticNanos", arithmeticNanos);
        JsonOutput.decimals(json, "chaseNanos", chaseNanos);
        JsonOutput.decimals(json, "spread", spread);
        json.writeEndObject();
    }

    private boolean quiet(ControlLoops later) {
        return change(later) < QUIET && spread < QUIET && later.spread < QUIET;
    }

    /** How far the machine moved between two measurements, of the loop that moved more. */
    private double change(ControlLoops later) {
        return Math.max(Math.abs(later.arithmeticNanos / arithmeticNanos - 1),
                Math.abs(later.chaseNanos / chaseNanos - 1));
    }

    private static double spread(double[] sorted) {
        return sorted[sorted.length - 1] / sorted[0] - 1;
    }

    private static void calculate() {
        long value = sink;
        for (int i = 0; i < ARITHMETIC_STEPS; i++) {
            // The shift keeps the compiler from folding steps into one.
            value = (value ^ (value >>> 32)) * FACTOR + 1;
        }
        sink = value;
    }

    private static void follow(int[] chain) {
        int at = 0;
        for (int i = 0; i < CHASE_STEPS; i++) {
            at = chain[at];
        }
        sink = at;
    }

    /** One cycle through all cache lines, in shuffled order. */
    private static int[] chain() {
        int lines = CHASE_BYTES / Integer.BYTES / INTS_PER_LINE;
        int[] order = Shuffle.order(lines);
        int[] chain = new int[lines * INTS_PER_LINE];
        for (int i = 0; i < lines; i++) {
            chain[order[i] * INTS_PER_LINE] = order[(i + 1) % lines] * INTS_PER_LINE;
        }
        return chain;
    }
}
