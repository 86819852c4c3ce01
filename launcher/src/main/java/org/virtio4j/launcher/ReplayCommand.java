// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher;

import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.virtio4j.command.Command;
import org.virtio4j.command.CommandFailure;
import org.virtio4j.command.CommandHelp;
import org.virtio4j.command.CommandOptions;
import org.virtio4j.command.ExitStatus;
import org.virtio4j.command.Interruption;
import org.virtio4j.command.OutputFile;
import org.virtio4j.command.Terminal;
import org.virtio4j.replay.Replay;
import org.virtio4j.replay.input.ReplayTransport;
import org.virtio4j.replay.input.TraceFile;
import org.virtio4j.replay.input.UnusableTraceException;
import org.virtio4j.replay.result.TraceResult;
import org.virtio4j.trace.TraceFormatException;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/** {@code virtio4j replay}: plays traces one after the other and prints the results. */
final class ReplayCommand implements Command {

    private static final String JSON = "--json";
    private static final String WARM_UP = "--warm-up";
    private static final String TRANSPORT = "--transport";
    private static final String BOTH = "both";
    private static final List<String> TRANSPORTS =
            Stream.concat(Stream.of(ReplayTransport.values()).map(ReplayTransport::toString), Stream.of(BOTH)).toList();
    private static final double MOST_SECONDS = 3600;

    private static final String ABOUT = """
            Plays recorded virtio-iommu traffic through a driver, a ring, a transport and the device of this project, \
            and compares every status, every count of removed mappings and every translation. Without TRACE it plays \
            the boot of a Linux guest that comes along.""";

    private final PrintStream out;
    private final Interruption interruption;
    private final ProgressLine progress;

    ReplayCommand(PrintStream out, PrintStream err, Interruption interruption) {
        this.out = out;
        this.interruption = interruption;
        this.progress = new ProgressLine(err, ProgressLine.INTERVAL, Terminal::isStandardError, interruption);
    }

    /** The name, the options and the help of this command. */
    CommandSpec spec() {
        CommandSpec spec = CommandHelp.describe(this, "replay", "play recorded virtio-iommu traffic back and compare",
                "[--transport NAME] [--json FILE] [--warm-up SECONDS] [TRACE...]")
                .addPositional(CommandOptions.operands("TRACE...", Path.class, CommandOptions::path)
                        .description("recordings (default: a small one that comes along)").build())
                .addOption(CommandOptions.oneOf(TRANSPORT, String.class, TRANSPORTS,
                        "mmio, pci or both, one after the other (default: both)"))
                .addOption(CommandOptions.file(JSON, "write the results to FILE too"))
                .addOption(CommandOptions.value(WARM_UP, "SECONDS", Duration.class, ReplayCommand::seconds).description(
                        "play each trace for so long over each transport before it is measured (default: 1)").build())
                .addOption(CommandOptions.help());
        CommandHelp.explain(spec, ABOUT);
        return CommandHelp.exits(spec, "0:nothing mismatched", "1:mismatches", "2:input that cannot be used",
                "130:ended by Ctrl-C");
    }

    @Override
    public int run(ParseResult arguments) throws CommandFailure {
        List<ReplayTransport> transports = transports(arguments.matchedOptionValue(TRANSPORT, BOTH));
        Duration warmUp = arguments.matchedOptionValue(WARM_UP, Duration.ofSeconds(1));
        Path json = arguments.matchedOptionValue(JSON, null);
        List<TraceFile> traces = traces(arguments.matchedPositionalValue(0, List.of()));
        if (json != null) {
            refuseToReplace(traces, json);
        }
        try (OutputFile file = json == null ? null : OutputFile.create(json)) {
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

    private static List<TraceFile> traces(List<Path> operands) {
        return operands.isEmpty() ? List.of(TraceFile.SHIPPED) : operands.stream().map(TraceFile::of).toList();
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

    private static List<ReplayTransport> transports(String name) {
        return Stream.of(ReplayTransport.values())
                .filter(transport -> name.equals(BOTH) || name.equals(transport.toString())).toList();
    }

    private static Duration seconds(String text) throws CommandFailure {
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
}
