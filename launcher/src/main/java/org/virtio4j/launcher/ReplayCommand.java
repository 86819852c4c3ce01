// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher;

import java.io.PrintStream;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.virtio4j.launcher.replay.Replay;
import org.virtio4j.launcher.replay.TraceFile;
import org.virtio4j.launcher.replay.TraceResult;
import org.virtio4j.launcher.replay.UnusableTraceException;
import org.virtio4j.trace.TraceFormatException;

/** {@code virtio4j replay}: plays traces one after the other and says what came of each. */
final class ReplayCommand {

    private static final String JSON = "--json";
    private static final String WARM_UP = "--warm-up";
    private static final Map<String, Boolean> OPTIONS = Map.of(JSON, true, WARM_UP, true, Options.HELP, false);
    private static final double MOST_SECONDS = 3600;

    private static final String USAGE = """
            Usage: virtio4j replay [--json FILE] [--warm-up SECONDS] [TRACE...]

            Plays recorded virtio-iommu traffic through a driver, a ring, a register window and the device of this
            project, and compares every status, every count of removed mappings and every translation. Without TRACE
            it plays the boot of a Linux guest that comes along.

              --json FILE        write the results to FILE too
              --warm-up SECONDS  play each trace for so long before it is measured (default: 1)
              --help             print this

            Exit status: 0 nothing mismatched, 1 mismatches, 2 input that cannot be used, 130 ended by Ctrl-C.
            """;

    private final PrintStream out;
    private final Interruption interruption;
    private final ProgressLine progress;

    ReplayCommand(PrintStream out, PrintStream err, Interruption interruption) {
        this.out = out;
        this.interruption = interruption;
        this.progress = new ProgressLine(err, ProgressLine.INTERVAL, Terminal.isStandardError(), interruption);
    }

    int run(List<String> args) throws CommandFailure {
        Options options = Options.parse(args, OPTIONS);
        if (options.has(Options.HELP)) {
            out.print(USAGE);
            return Main.OK;
        }
        Duration warmUp = seconds(options.value(WARM_UP));
        String json = options.value(JSON);
        try (OutputFile file = json == null ? null : OutputFile.create(path(json))) {
            List<TraceResult> results = replayAll(traces(options.operands()), warmUp);
            if (results.size() > 1) {
                out.print(TextReport.of(TraceResult.total(results)));
            }
            if (file != null) {
                file.write(JsonReport.of(results, interruption.requested()));
            }
            return status(results);
        } finally {
            progress.clear();
        }
    }

    /** All traces are read before the first is played, so that a bad one is found early. */
    private List<TraceResult> replayAll(List<TraceFile> traces, Duration warmUp) throws CommandFailure {
        List<TraceResult> results = new ArrayList<>();
        try {
            List<Replay> replays = new ArrayList<>();
            for (TraceFile trace : traces) {
                Replay replay = interruption.requested() ? null : Replay.of(trace, progress);
                if (replay != null) {
                    replays.add(replay);
                }
            }
            Replay.warmUpAll();
            for (Replay replay : replays) {
                replay.warmUp(warmUp, progress);
                if (!interruption.requested()) {
                    results.add(replay.play(progress));
                    print(results.getLast());
                }
            }
        } catch (TraceFormatException | UnusableTraceException unusable) {
            throw new CommandFailure(String.valueOf(unusable.getMessage()));
        }
        return results;
    }

    private void print(TraceResult result) {
        progress.clear();
        out.print(TextReport.of(result));
        out.flush();
    }

    private int status(List<TraceResult> results) {
        if (interruption.requested()) {
            out.println("interrupted");
            return Main.INTERRUPTED;
        }
        return TraceResult.total(results).mismatches() == 0 ? Main.OK : Main.MISMATCHES;
    }

    private static List<TraceFile> traces(List<String> operands) throws CommandFailure {
        List<TraceFile> traces = new ArrayList<>();
        for (String operand : operands) {
            traces.add(TraceFile.of(path(operand)));
        }
        return traces.isEmpty() ? List.of(TraceFile.SHIPPED) : traces;
    }

    private static Duration seconds(@Nullable String text) throws CommandFailure {
        if (text == null) {
            return Duration.ofSeconds(1);
        }
        try {
            double seconds = Double.parseDouble(text);
            if (seconds >= 0 && seconds <= MOST_SECONDS) {
                return Duration.ofMillis(Math.round(1000 * seconds));
            }
        } catch (NumberFormatException noNumber) {
            // Refused as numbers out of range are.
        }
        throw new CommandFailure("option " + WARM_UP + ": expected 0 to 3600 seconds, found '" + text + "'");
    }

    private static Path path(String text) throws CommandFailure {
        try {
            return Path.of(text);
        } catch (InvalidPathException impossible) {
            throw new CommandFailure("'" + text + "': expected a file name, found " + impossible.getReason());
        }
    }
}
