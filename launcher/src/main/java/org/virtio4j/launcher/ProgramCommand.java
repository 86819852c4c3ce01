// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher;

import java.io.PrintStream;
import org.virtio4j.command.Command;
import org.virtio4j.command.CommandOptions;
import org.virtio4j.command.CommandRunner;
import org.virtio4j.command.ExitStatus;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/** {@code virtio4j} without a command: prints its help, or the version. */
final class ProgramCommand implements Command {

    private static final String VERSION = "--version";

    private final PrintStream out;

    ProgramCommand(PrintStream out) {
        this.out = out;
    }

    /** The name, the options and the help of this command. */
    CommandSpec spec() {
        CommandSpec spec = CommandSpec.wrapWithoutInspection(this).name("virtio4j")
                .addOption(CommandOptions.flag(VERSION, "print the version"))
                .addOption(CommandOptions.help());
        spec.usageMessage().customSynopsis("virtio4j COMMAND [ARGUMENT...]").sortOptions(false)
                .descriptionHeading("%n").commandListHeading("").optionListHeading("%n")
                .footer("", "\"virtio4j COMMAND --help\" says more about a command.");
        return spec;
    }

    @Override
    public int run(ParseResult arguments) {
        out.print(arguments.hasMatchedOption(VERSION) ? "virtio4j " + Version.text() + "\n"
                : CommandRunner.help(arguments.commandSpec().commandLine()));
        return ExitStatus.OK;
    }
}
