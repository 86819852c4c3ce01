// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.peers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.virtio4j.benchmarks.peers.input.PeerSet;
import org.virtio4j.benchmarks.peers.input.TraceSet;
import org.virtio4j.command.BenchArguments;
import org.virtio4j.command.CommandFailure;
import org.virtio4j.command.CommandOptions;
import picocli.CommandLine.ParseResult;

/**
 * What the user wants compared.
 *
 * @param home     folder of the project
 * @param mode     how long everything is measured
 * @param traces   recordings to play back, too
 * @param json     where the results go
 * @param markdown where the table goes
 * @param chart    where the picture goes
 */
public record PeerRequest(Path home, PeerMode mode, List<PeerSet> traces, Path json, Path markdown, Path chart) {

    /** Options that only make sense in a comparison. */
    public static final List<String> OWN_OPTIONS =
            List.of(BenchArguments.QUICK, BenchArguments.TRACE, BenchArguments.SVG);

    private static final Path FOLDER = Path.of("target", "peers");

    /**
     * Reads the options, and the traces.
     *
     * @param arguments of the command
     * @param home      folder of the project
     * @throws CommandFailure if they do not go together, or a trace cannot be used
     */
    public static PeerRequest of(ParseResult arguments, Path home) throws CommandFailure {
        CommandOptions.refuseOperands(arguments.matchedPositionalValue(0, List.of()));
        return new PeerRequest(home, mode(arguments), traces(arguments),
                file(arguments, BenchArguments.JSON, home, "peers.json"),
                file(arguments, BenchArguments.MARKDOWN, home, "peers.md"),
                file(arguments, BenchArguments.SVG, home, "peers.svg"));
    }

    /** All sets, as far as there is memory for them. */
    List<PeerSet> sets(long memory) {
        List<PeerSet> sets = new ArrayList<>(PeerSet.ofMappings(mode.sizes(memory)));
        sets.add(PeerSet.ofRequests());
        sets.addAll(traces);
        return sets;
    }

    /** Makes the folder for results whose place the user did not choose. */
    void makeFolder() throws CommandFailure {
        try {
            Files.createDirectories(home.resolve(FOLDER));
        } catch (IOException trouble) {
            throw new CommandFailure(home.resolve(FOLDER) + ": expected a folder that can be made, found: "
                    + trouble.getMessage());
        }
    }

    private static PeerMode mode(ParseResult arguments) throws CommandFailure {
        boolean quick = arguments.hasMatchedOption(BenchArguments.QUICK);
        boolean full = arguments.hasMatchedOption(BenchArguments.FULL);
        if (quick && full) {
            throw new CommandFailure("expected --quick or --full, found both");
        }
        return quick ? PeerMode.QUICK : full ? PeerMode.FULL : PeerMode.NORMAL;
    }

    private static List<PeerSet> traces(ParseResult arguments) throws CommandFailure {
        List<PeerSet> sets = new ArrayList<>();
        List<Path> files = arguments.matchedOptionValue(BenchArguments.TRACE, List.of());
        for (Path file : files) {
            sets.add(TraceSet.read(file));
        }
        return sets;
    }

    private static Path file(ParseResult arguments, String option, Path home, String name) {
        return arguments.matchedOptionValue(option, home.resolve(FOLDER).resolve(name));
    }
}
