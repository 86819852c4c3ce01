// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks;

import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.jspecify.annotations.Nullable;
import org.virtio4j.benchmarks.Measurement.RowFailure;
import org.virtio4j.benchmarks.host.ControlLoops;
import org.virtio4j.benchmarks.host.Host;
import org.virtio4j.benchmarks.peers.PeerRequest;
import org.virtio4j.benchmarks.peers.PeersCommand;
import org.virtio4j.benchmarks.quota.QuotaCommand;
import org.virtio4j.benchmarks.quota.QuotaMode;
import org.virtio4j.benchmarks.report.Report;
import org.virtio4j.benchmarks.report.ResultTable;
import org.virtio4j.benchmarks.report.RowResult;
import org.virtio4j.benchmarks.suite.BenchmarkRow;
import org.virtio4j.benchmarks.suite.RunMode;
import org.virtio4j.benchmarks.suite.Suite;
import org.virtio4j.command.BenchArguments;
import org.virtio4j.command.Command;
import org.virtio4j.command.CommandFailure;
import org.virtio4j.command.CommandOptions;
import org.virtio4j.command.CommandRunner;
import org.virtio4j.command.ExitStatus;
import org.virtio4j.command.Interruption;
import org.virtio4j.command.OutputFile;
import org.virtio4j.command.Terminal;
import picocli.CommandLine.ParseResult;

/** The command {@code virtio4j bench}: measures rows one after the other and prints each as soon as it is known. */
public final class Bench implements Command {

    private final PrintStream out;
    private final PrintStream err;
    private final Interruption interruption;
    private final boolean watched;

    private Bench(PrintStream out, PrintStream err, Interruption interruption, boolean watched) {
        this.out = out;
        this.err = err;
        this.interruption = interruption;
        this.watched = watched;
    }

    /**
     * Measures, and ends the JVM with the exit status.
     *
     * @param args what stands behind {@code virtio4j bench}
     */
    public static void main(String[] args) {
        Interruption interruption = Interruption.bySignal();
        int status;
        try {
            status = run(List.of(args), System.out, System.err, interruption);
        } finally {
            // Else the JVM would wait for the command's end after an exception, too.
            interruption.finished();
        }
        System.exit(status);
    }

    /** Runs the command; returns its exit status. */
    static int run(List<String> args, PrintStream out, PrintStream err, Interruption interruption) {
        Bench bench = new Bench(out, err, interruption, Terminal.isStandardError());
        return CommandRunner.run(out, err, BenchArguments.spec(bench), args);
    }

    @Override
    public int run(ParseResult arguments) throws CommandFailure {
        if (arguments.hasMatchedOption(BenchArguments.PEERS)) {
            return comparePeers(arguments);
        }
        if (arguments.hasMatchedOption(BenchArguments.QUOTA)) {
            return fillQuota(arguments);
        }
        refuse(arguments, "with " + BenchArguments.PEERS, "without it", PeerRequest.OWN_OPTIONS);
        Host host = Host.present();
        RunMode mode = arguments.hasMatchedOption(BenchArguments.FULL) ? RunMode.FULL : RunMode.QUICK;
        // A quarter of the memory stays for others, and another for the heap and what is not counted here.
        Suite suite = Suite.of(host.caches(), host.memory() / 2);
        List<BenchmarkRow> rows = choose(suite, mode, arguments.matchedPositionalValue(0, List.of()));
        if (arguments.hasMatchedOption(BenchArguments.LIST)) {
            rows.forEach(row -> out.println(row.title()));
            return ExitStatus.OK;
        }
        // Both before anything is measured, so that a file that cannot be written costs nobody a long run.
        try (OutputFile json = file(arguments, BenchArguments.JSON);
                OutputFile markdown = file(arguments, BenchArguments.MARKDOWN)) {
            if (mode == RunMode.FULL) {
                suite.leftOut().forEach(what -> out.println("not enough memory for " + what));
            }
            Report report = measure(host, mode, rows);
            if (json != null) {
                json.write(report.json());
            }
            if (markdown != null) {
                markdown.write(report.markdown());
            }
            int status = report.complete() ? ExitStatus.OK : ExitStatus.FAILED;
            return interruption.requested() ? ExitStatus.INTERRUPTED : status;
        }
    }

    private int comparePeers(ParseResult arguments) throws CommandFailure {
        refuse(arguments, "without " + BenchArguments.PEERS, "with it",
                List.of(BenchArguments.LIST, BenchArguments.QUOTA));
        PeerRequest request = PeerRequest.of(arguments, Path.of(System.getProperty("virtio4j.home", ".")));
        new PeersCommand(out, this::progress, interruption::requested).run(request);
        return interruption.requested() ? ExitStatus.INTERRUPTED : ExitStatus.OK;
    }

    private int fillQuota(ParseResult arguments) throws CommandFailure {
        refuse(arguments, "without " + BenchArguments.QUOTA, "with it", List.of(BenchArguments.LIST,
                BenchArguments.FULL, BenchArguments.JSON, BenchArguments.MARKDOWN, BenchArguments.TRACE,
                BenchArguments.SVG));
        CommandOptions.refuseOperands(arguments.matchedPositionalValue(0, List.of()));
        QuotaMode mode = arguments.hasMatchedOption(BenchArguments.QUICK) ? QuotaMode.QUICK : QuotaMode.NORMAL;
        new QuotaCommand(out, interruption::requested).run(mode);
        return interruption.requested() ? ExitStatus.INTERRUPTED : ExitStatus.OK;
    }

    private static void refuse(ParseResult arguments, String expected, String found, List<String> options)
            throws CommandFailure {
        for (String option : options) {
            if (arguments.hasMatchedOption(option)) {
                throw new CommandFailure("option " + option + ": expected " + expected + ", found " + found);
            }
        }
    }

    private static List<BenchmarkRow> choose(Suite suite, RunMode mode, List<String> operands) throws CommandFailure {
        if (operands.size() > 1) {
            throw new CommandFailure("expected one regular expression, found also '" + operands.get(1) + "'");
        }
        Pattern pattern = pattern(operands.isEmpty() ? "" : operands.getFirst());
        List<BenchmarkRow> rows = suite.rows().stream().filter(mode::includes)
                .filter(row -> pattern.matcher(row.title()).find()).toList();
        if (rows.isEmpty()) {
            throw new CommandFailure("no row matches '" + pattern.pattern() + "'; --list prints them"
                    + (mode == RunMode.FULL ? "" : ", with --full those of the full run"));
        }
        return rows;
    }

    private static Pattern pattern(String text) throws CommandFailure {
        try {
            return Pattern.compile(text, Pattern.CASE_INSENSITIVE);
        } catch (PatternSyntaxException broken) {
            throw new CommandFailure("'" + text + "': expected a regular expression, found: "
                    + broken.getDescription());
        }
    }

    private static @Nullable OutputFile file(ParseResult arguments, String option) throws CommandFailure {
        Path file = arguments.matchedOptionValue(option, null);
        return file == null ? null : OutputFile.create(file);
    }

    private Report measure(Host host, RunMode mode, List<BenchmarkRow> rows) throws CommandFailure {
        ControlLoops before = ControlLoops.measure();
        ResultTable table = new ResultTable(rows);
        out.print(host.head(mode.text(), before) + System.lineSeparator() + table.head() + System.lineSeparator());
        out.flush();
        List<RowResult> results = measureRows(new Measurement(mode), table, rows);
        Report report = new Report(host, mode, results.size() == rows.size(), results, before, ControlLoops.measure());
        out.println();
        report.conclusions().forEach(out::println);
        if (interruption.requested()) {
            out.println("interrupted: " + results.size() + " of " + rows.size() + " rows were measured");
        }
        return report;
    }

    private List<RowResult> measureRows(Measurement measurement, ResultTable table, List<BenchmarkRow> rows)
            throws CommandFailure {
        List<RowResult> results = new ArrayList<>();
        Map<String, Double> medians = new HashMap<>();
        for (int i = 0; i < rows.size() && !interruption.requested() && !out.checkError(); i++) {
            BenchmarkRow row = rows.get(i);
            progress("row " + (i + 1) + " of " + rows.size() + ": " + row.title());
            try {
                RowResult result = RowResult.of(row, measurement.run(row), baseline(row, medians));
                progress("");
                medians.put(row.title(), result.median());
                results.add(result);
                out.println(table.line(result));
                out.flush();
            } catch (RowFailure failure) {
                progress("");
                tell(row, failure);
            }
        }
        return results;
    }

    private static double baseline(BenchmarkRow row, Map<String, Double> medians) {
        BenchmarkRow baseline = row.baseline();
        Double median = baseline == null ? null : medians.get(baseline.title());
        return median == null ? Double.NaN : median;
    }

    /** The JVM that measures gets Ctrl-C too, and its end then is no failure of the row. */
    private void tell(BenchmarkRow row, RowFailure failure) {
        if (!interruption.requested()) {
            err.println("virtio4j: " + row.title() + ": " + failure.getMessage());
            err.print(failure.log());
        }
    }

    private void progress(String text) {
        if (watched) {
            err.print("\r\033[K" + text);
            err.flush();
        }
    }
}
