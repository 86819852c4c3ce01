// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher;

import java.io.PrintStream;
import java.util.List;
import java.util.Map;
import org.virtio4j.command.Command;
import org.virtio4j.command.CommandFailure;
import org.virtio4j.command.CommandHelp;
import org.virtio4j.command.CommandOptions;
import org.virtio4j.command.CommandRunner;
import org.virtio4j.command.ExitStatus;
import org.virtio4j.command.NearestName;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParseResult;

/** {@code virtio4j help}: prints the help of the program, or of a command. */
final class HelpCommand implements Command {

    private final PrintStream out;

    HelpCommand(PrintStream out) {
        this.out = out;
    }

    /** The name, the options and the help of this command. */
    CommandSpec spec() {
        CommandSpec spec = CommandHelp.describe(this, "help", "print this, or the help of a command", "[COMMAND]");
        CommandHelp.explain(spec, "Prints the help of a command, or the list of all.");
        return spec.addPositional(PositionalParamSpec.builder().paramLabel("COMMAND").index("0").arity("0..1")
                .hideParamSyntax(true).completionCandidates(() -> spec.parent().subcommands().keySet().iterator())
                .description("the command").build()).addOption(CommandOptions.help());
    }

    @Override
    public int run(ParseResult arguments) throws CommandFailure {
        CommandLine program = arguments.commandSpec().parent().commandLine();
        String name = arguments.matchedPositionalValue(0, "");
        Map<String, CommandLine> commands = program.getSubcommands();
        CommandLine command = name.isEmpty() ? program : commands.get(name);
        if (command == null) {
            throw new CommandFailure("unknown command '" + name + "'"
                    + NearestName.hint(name, List.copyOf(commands.keySet())));
        }
        out.print(CommandRunner.help(command));
        return ExitStatus.OK;
    }
}
