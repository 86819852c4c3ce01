// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher;

import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import org.virtio4j.command.Command;
import org.virtio4j.command.CommandFailure;
import org.virtio4j.command.CommandHelp;
import org.virtio4j.command.CommandOptions;
import org.virtio4j.command.ExitStatus;
import org.virtio4j.command.Interruption;
import org.virtio4j.serving.config.FormerToToml;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/** {@code virtio4j config-to-toml}: prints a configuration of the format before TOML as TOML. */
final class ConfigToTomlCommand implements Command {

    private static final String ABOUT = """
            Prints a configuration of serve that has the format before TOML as TOML, with its comments. OLD stays as \
            it is. Put the result into the same folder, because file names in it are relative to its folder, for \
            example with "./virtio4j config-to-toml vm.conf > vm.toml".""";

    private final PrintStream out;
    private final Interruption interruption;

    ConfigToTomlCommand(PrintStream out, Interruption interruption) {
        this.out = out;
        this.interruption = interruption;
    }

    /** The name, the options and the help of this command. */
    CommandSpec spec() {
        CommandSpec spec = CommandHelp.describe(this, "config-to-toml",
                "print a configuration of serve that has the format before TOML as TOML", "OLD")
                .addPositional(CommandOptions.operands("OLD", Path.class, CommandOptions::path)
                        .description("a configuration of the format before TOML").build())
                .addOption(CommandOptions.help());
        CommandHelp.explain(spec, ABOUT);
        return CommandHelp.exits(spec, "2:input that cannot be used, or TOML already");
    }

    @Override
    public int run(ParseResult arguments) throws CommandFailure {
        List<Path> files = arguments.matchedPositionalValue(0, List.of());
        if (files.size() != 1) {
            throw new CommandFailure("expected one file, found "
                    + (files.isEmpty() ? "none" : "'" + files.get(1) + "' too"));
        }
        Path old = files.getFirst();
        interruption.preparing("reading " + old);
        out.print(FormerToToml.convert(old));
        return ExitStatus.OK;
    }
}
