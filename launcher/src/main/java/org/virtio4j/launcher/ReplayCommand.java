// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher;

import java.io.PrintStream;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.virtio4j.command.CommandFailure;
import org.virtio4j.command.ExitStatus;
import org.virtio4j.command.Interruption;
import org.virtio4j.command.NearestName;
import org.virtio4j.command.Options;
import org.virtio4j.command.OutputFile;
import org.virtio4j.command.Terminal;
import org.virtio4j.replay.Replay;
import org.virtio4j.replay.input.ReplayTransport;
import org.virtio4j.replay.input.TraceFile;
import org.virtio4j.replay.input.UnusableTraceException;
import org.virtio4j.replay.result.TraceResult;
import org.virtio4j.trace.TraceFormatException;

/** {@code virtio4j replay}: plays traces one after the other and prints the results. */
final class ReplayCommand {

    private static final String JSON = "--json";
    private static final String WARM_UP = "--warm-up";
    private static final String TRANSPORT = "--transport";
    private static final String BOTH = "both";
    private static final Map<String, Boolean> OPTIONS =
            Map.of(JSON, true, TRANSPORT, true, WARM_UP, true, Options.HELP, false);
    private static final double MOST_SECONDS = 3600;

    private static final String USAGE = """
            Usage: virtio4j replay [--transport NAME] [--json FILE] [--warm-up SECONDS] [TRACE...]

            Plays recorded virtio-iommu traffic through a driver, a ring, a transport and the device of this project,
            and compares every status, every count of removed mappings and every translation. Without TRACE it plays
            the boot of a Linux guest that comes along.

              --transport NAME   mmio, pci or both, one after the other (default: both)
              --json FILE        write the results to FILE too
              --warm-up SECONDS  play each trace for so long over each transport before it is measured (default: 1)
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
            return ExitStatus.OK;
        }
        List<ReplayTransport> transports = transports(options.value(TRANSPORT));
        Duration warmUp = seconds(options.value(WARM_UP));
        String json = options.value(JSON);
        List<TraceFile> traces = traces(options.operands());
        if (json != null) {
            refuseToReplace(traces, path(json));
        }
        try (OutputFile file = json == null ? null : OutputFile.create(path(json))) {
            List<TraceResult> results = replayAll(traces, transports, warmUp);
            if (results.size() > transports.size()) {
                out.print(ReplayTextReport.of(TraceResult.totals(results)));
            }
            if (file != null) {
                file.write(ReplayJsonReport.of(results, interruption.requested()));
            }
            return status(results);
        } finally {
            progress.clear();
        }
    }

    /** All traces are read before the first is played, so that a bad one is found early. */
    private List<TraceResult> replayAll(List<TraceFile> traces, List<ReplayTransport> transports, Duration warmUp)
            throws CommandFailure {
        List<TraceResult> results = new ArrayList<>();
        try {
            List<Replay> replays = new ArrayList<>();
            for (TraceFile trace : traces) {
                Replay replay = interruption.requested() ? null : Replay.of(trace, progress);
                if (replay != null) {
                    replays.add(replay);
                }
            }
            Replay.warmUpAll(transports);
            for (Replay replay : replays) {
                results.addAll(play(replay, transports, warmUp));
            }
        } catch (TraceFormatException | UnusableTraceException unusable) {
            throw new CommandFailure(String.valueOf(unusable.getMessage()));
        }
        return results;
    }

    /** All transports are warmed up before one is measured, so that none runs code compiled for another one only. */
    private List<TraceResult> play(Replay replay, List<ReplayTransport> transports, Duration warmUp)
            throws TraceFormatException, UnusableTraceException {
        for (ReplayTransport transport : transports) {
            replay.warmUp(transport, warmUp, progress);
        }
        List<TraceResult> results = new ArrayList<>();
        for (ReplayTransport transport : transports) {
            if (!interruption.requested()) {
                results.add(replay.play(transport, progress));
            }
        }
        if (!results.isEmpty()) {
            progress.clear();
            out.print(ReplayTextReport.of(results));
            out.flush();
        }
        return results;
    }

    private int status(List<TraceResult> results) {
        if (interruption.requested()) {
            out.println("interrupted");
            return ExitStatus.INTERRUPTED;
        }
        return TraceResult.total(results).mismatches() == 0 ? ExitStatus.OK : ExitStatus.FAILED;
    }

    private static List<TraceFile> traces(List<String> operands) throws CommandFailure {
        List<TraceFile> traces = new ArrayList<>();
        for (String operand : operands) {
            traces.add(TraceFile.of(path(operand)));
        }
        return traces.isEmpty() ? List.of(TraceFile.SHIPPED) : traces;
    }

    /** A trace must not be lost: nobody may be able to record it again. */
    private static void refuseToReplace(List<TraceFile> traces, Path json) throws CommandFailure {
        for (TraceFile trace : traces) {
            if (trace.isAt(json)) {
                throw new CommandFailure("option " + JSON + ": expected another file than a trace, found '" + json
                        + "'");
            }
        }
    }

    private static List<ReplayTransport> transports(@Nullable String text) throws CommandFailure {
        List<ReplayTransport> all = List.of(ReplayTransport.values());
        if (text == null || text.equals(BOTH)) {
            return all;
        }
        for (ReplayTransport transport : all) {
            if (transport.toString().equals(text)) {
                return List.of(transport);
            }
        }
        List<String> names = Stream.concat(all.stream().map(ReplayTransport::toString), Stream.of(BOTH)).toList();
        throw new CommandFailure("unknown transport '" + text + "'" + NearestName.hint(text, names));
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
