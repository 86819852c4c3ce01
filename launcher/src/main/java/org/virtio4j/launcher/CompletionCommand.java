// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher;

import java.io.PrintStream;
import org.virtio4j.command.Command;
import org.virtio4j.command.CommandHelp;
import org.virtio4j.command.CommandOptions;
import org.virtio4j.command.ExitStatus;
import picocli.AutoComplete;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/** {@code virtio4j completion}: prints a script that lets a shell complete commands, options and their values. */
final class CompletionCommand implements Command {

    private final PrintStream out;

    CompletionCommand(PrintStream out) {
        this.out = out;
    }

    /** The name, the options and the help of this command. */
    CommandSpec spec() {
        CommandSpec spec = CommandHelp.describe(this, "completion", "print a script with which bash or zsh completes"
                + " commands and options", "").addOption(CommandOptions.help());
        return CommandHelp.explain(spec, """
                Prints a script that lets bash or zsh complete commands, options and their values. For this shell:

                  source <(./virtio4j completion)""");
    }

    @Override
    public int run(ParseResult arguments) {
        CommandSpec program = arguments.commandSpec().parent();
        out.println(AutoComplete.bash(program.name(), program.commandLine()));
        return ExitStatus.OK;
    }
}
