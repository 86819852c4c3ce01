// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.command;

import picocli.CommandLine.Model.CommandSpec;

/**
 * The arguments of {@code virtio4j bench}. They are here because two programs need them: the benchmarks parse them, and
 * the launcher, which has no benchmarks, completes them in a shell.
 */
public final class BenchArguments {

    /** More rows, or more sizes. */
    public static final String FULL = "--full";
    /** Prints the rows. */
    public static final String LIST = "--list";
    /** The file for the results. */
    public static final String JSON = "--json";
    /** The file for the table. */
    public static final String MARKDOWN = "--markdown";
    /** Compares with the tables of others. */
    public static final String PEERS = "--peers";
    /** Has a guest fill its quota. */
    public static final String QUOTA = "--quota";
    /** Enough to see that everything works; only in a comparison, or with a quota. */
    public static final String QUICK = "--quick";
    /** Recordings, a list of paths; only in a comparison. */
    public static final String TRACE = "--trace";
    /** The file for the chart; only in a comparison. */
    public static final String SVG = "--svg";

    private BenchArguments() {
    }

    /**
     * The description of the command.
     *
     * @param command what runs it
     * @return a new description
     */
    public static CommandSpec spec(Command command) {
        CommandSpec spec = CommandHelp.describe(command, "bench", "measure what requests, translations and transfers"
                + " cost", "[--full] [--list] [--json FILE] [--markdown FILE] [REGEX]",
                "--peers [--quick | --full] [--trace FILE,...] [--json FILE] [--markdown FILE]\n[--svg FILE]",
                "--quota [--quick]");
        CommandHelp.explain(spec, """
                Measures what requests, translations and transfers cost, and prints nanoseconds and heap bytes for \
                each operation. Takes about two minutes; docs/performance.md says how to read the table.

                With --peers the mapping table is measured beside GLib's GTree in C, Rust's BTreeMap and Java's \
                TreeMap, and the whole device beside a loop in C. All take turns: about eight minutes. The results \
                go to target/peers unless FILE says where. A program that cannot be built, for want of cc, \
                pkg-config, glib-2.0 or rustc, has an empty column.

                With --quota a guest asks for six times as many mappings as it may have, and unmaps them all, while \
                another maps and unmaps single pages on a second thread: half a minute. Prints the memory of the \
                process at each step, and what the second guest's MAP takes beside that and alone.""");
        spec.addPositional(CommandOptions.operands("REGEX", String.class, text -> text)
                .description("chooses rows by what --list prints, in upper or lower case").build());
        return CommandHelp.exits(addPeerOptions(addOptions(spec)), "0:all rows measured", "1:some failed",
                "2:something is wrong with the arguments or the output", "130:ended by Ctrl-C");
    }

    private static CommandSpec addOptions(CommandSpec spec) {
        return spec.addOption(CommandOptions.flag(FULL, "more rows, and several JVMs for each: about 22 minutes on two"
                        + " cores; with --peers: more sizes and more rounds, about half an hour"))
                .addOption(CommandOptions.flag(LIST, "print the rows that would be measured, and measure nothing"))
                .addOption(CommandOptions.file(JSON, "write the results to FILE too, with JMH's own"))
                .addOption(CommandOptions.file(MARKDOWN, "write the table to FILE too, as Markdown"));
    }

    private static CommandSpec addPeerOptions(CommandSpec spec) {
        return spec.addOption(CommandOptions.flag(PEERS, "measure the mapping table beside those of other VMMs"))
                .addOption(CommandOptions.flag(QUOTA, "measure a guest that fills its quota, and another beside it"))
                .addOption(CommandOptions.flag(QUICK, "with --peers or --quota: whether it all works, in less than a"
                        + " minute"))
                .addOption(CommandOptions.files(TRACE, "with --peers: play recorded traffic back, too"))
                .addOption(CommandOptions.file(SVG, "with --peers: draw the results into FILE"))
                .addOption(CommandOptions.help());
    }
}
