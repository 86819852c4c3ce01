// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.quota;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.function.BooleanSupplier;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;
import org.virtio4j.benchmarks.host.ControlLoops;
import org.virtio4j.benchmarks.host.Host;
import org.virtio4j.benchmarks.host.Quantity;
import org.virtio4j.command.CommandFailure;

/** {@code virtio4j bench --quota}: some rounds, then the memory of the last one and the medians of all. */
public final class QuotaCommand {

    private static final String MEMORY_ROW = "%-26s %12s %12s %12s %12s %12s%n";

    private final PrintStream out;
    private final BooleanSupplier interrupted;

    /** What there was before anything was measured. */
    private @Nullable MemorySample fresh;

    /**
     * Nothing is done yet.
     *
     * @param out         takes the tables
     * @param interrupted whether to end early
     */
    public QuotaCommand(PrintStream out, BooleanSupplier interrupted) {
        this.out = out;
        this.interrupted = interrupted;
    }

    /**
     * Runs it.
     *
     * @param mode how large the quota is
     * @throws CommandFailure if a guest gets an answer that is not right
     */
    public void run(QuotaMode mode) throws CommandFailure {
        ControlLoops before = ControlLoops.measure();
        out.print(Host.present().head(mode.text(), before));
        out.println();
        out.flush();
        List<QuotaRound> rounds = measure(mode);
        if (!rounds.isEmpty()) {
            List<MemorySample> samples = new ArrayList<>(List.of(Objects.requireNonNull(fresh)));
            samples.addAll(rounds.getLast().memory());
            printMemory(samples);
            printTimes(rounds);
        }
        out.println();
        out.println(before.verdict(ControlLoops.measure()));
    }

    private List<QuotaRound> measure(QuotaMode mode) throws CommandFailure {
        List<QuotaRound> rounds = new ArrayList<>();
        try (QuotaRun run = new QuotaRun(mode.limit(), mode.leastPairs())) {
            fresh = run.sample("before the first round");
            for (int i = 0; i < mode.warmUpRounds() && !interrupted.getAsBoolean(); i++) {
                run.round();
            }
            for (int i = 0; i < mode.rounds() && !interrupted.getAsBoolean(); i++) {
                rounds.add(run.round());
            }
            return rounds;
        } catch (ExecutionException failed) {
            throw new CommandFailure("the guest that fills its quota failed: " + failed.getCause());
        } catch (InterruptedException ended) {
            Thread.currentThread().interrupt();
            throw new CommandFailure("measuring was interrupted");
        }
    }

    private void printMemory(List<MemorySample> samples) {
        out.printf(Locale.ROOT, MEMORY_ROW, "guest A", "mappings", "refused", "its tables", "resident", "heap");
        for (MemorySample sample : samples) {
            out.printf(Locale.ROOT, MEMORY_ROW, sample.when(), String.format(Locale.ROOT, "%,d", sample.mappings()),
                    String.format(Locale.ROOT, "%,d", sample.refused()), kib(sample.tables()), kib(sample.resident()),
                    kib(sample.heap()));
        }
        out.println();
    }

    private static String kib(long bytes) {
        return String.format(Locale.ROOT, "%,d KiB", bytes >> 10);
    }

    private void printTimes(List<QuotaRound> rounds) {
        double alone = median(rounds, QuotaRound::alone);
        printTime("guest B's MAP, one a doorbell, median: alone", alone, "");
        printTime("  while guest A fills its quota", rounds, QuotaRound::besideFill, QuotaRound::alone, "of alone");
        printTime("  while guest A is refused five more", rounds, QuotaRound::besideRefusals, QuotaRound::alone,
                "of alone");
        printTime("  while guest A unmaps everything", rounds, QuotaRound::besideUnmap, QuotaRound::alone, "of alone");
        printTime("guest A's MAP, 64 a doorbell, answered with OK", median(rounds, QuotaRound::mapNanos), "");
        printTime("  answered with NOMEM", rounds, QuotaRound::refusalNanos, QuotaRound::mapNanos, "of OK");
        out.println();
        out.println("heap allocated by " + Quantity.count(rounds.getLast().memory().get(1).mappings())
                + " refused MAPs: " + rounds.stream().mapToLong(QuotaRound::refusalAllocated).min().orElse(0) + " B");
    }

    /** With the ratio of what was measured in the same round. */
    private void printTime(String what, List<QuotaRound> rounds, ToDoubleFunction<QuotaRound> nanos,
            ToDoubleFunction<QuotaRound> base, String ofWhat) {
        double ratio = median(rounds, round -> nanos.applyAsDouble(round) / base.applyAsDouble(round));
        printTime(what, median(rounds, nanos), String.format(Locale.ROOT, "%.2f %s", ratio, ofWhat));
    }

    private void printTime(String what, double nanos, String ratio) {
        String line = String.format(Locale.ROOT, "%-58s %8s ns  %s", what, Quantity.nanos(nanos), ratio);
        out.println(line.stripTrailing());
    }

    private static double median(List<QuotaRound> rounds, ToDoubleFunction<QuotaRound> figure) {
        double[] sorted = rounds.stream().mapToDouble(figure).sorted().toArray();
        return sorted[sorted.length / 2];
    }
}
