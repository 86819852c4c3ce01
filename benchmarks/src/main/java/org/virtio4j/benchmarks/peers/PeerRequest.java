// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.peers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.virtio4j.benchmarks.peers.input.PeerSet;
import org.virtio4j.benchmarks.peers.input.TraceSet;
import org.virtio4j.command.CommandFailure;
import org.virtio4j.command.Options;

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

    /** Option: enough to see that everything works. */
    public static final String QUICK = "--quick";
    /** Option: more sizes and more rounds. */
    public static final String FULL = "--full";
    /** Option with traces, separated by commas. */
    public static final String TRACE = "--trace";
    /** Option with the file for the chart. */
    public static final String SVG = "--svg";
    /** Options that only make sense in a comparison. */
    public static final List<String> OWN_OPTIONS = List.of(QUICK, TRACE, SVG);

    private static final Path FOLDER = Path.of("target", "peers");

    /**
     * Reads the options, and the traces.
     *
     * @param options of the command
     * @param home    folder of the project
     * @throws CommandFailure if they do not go together, or a trace cannot be used
     */
    public static PeerRequest of(Options options, Path home) throws CommandFailure {
        options.refuseOperands();
        if (options.has(QUICK) && options.has(FULL)) {
            throw new CommandFailure("expected --quick or --full, found both");
        }
        PeerMode mode = options.has(QUICK) ? PeerMode.QUICK : options.has(FULL) ? PeerMode.FULL : PeerMode.NORMAL;
        return new PeerRequest(home, mode, traces(options), file(options, "--json", home, "peers.json"),
                file(options, "--markdown", home, "peers.md"), file(options, SVG, home, "peers.svg"));
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

    private static List<PeerSet> traces(Options options) throws CommandFailure {
        List<PeerSet> sets = new ArrayList<>();
        String names = options.value(TRACE);
        for (String name : names == null ? new String[0] : names.split(",", -1)) {
            sets.add(TraceSet.read(Path.of(name)));
        }
        return sets;
    }

    private static Path file(Options options, String option, Path home, String name) throws CommandFailure {
        Path chosen = options.path(option);
        return chosen == null ? home.resolve(FOLDER).resolve(name) : chosen;
    }
}
