// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher;

import java.io.PrintStream;
import org.virtio4j.command.Command;
import org.virtio4j.command.CommandHelp;
import org.virtio4j.command.CommandOptions;
import org.virtio4j.command.ExitStatus;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/** {@code virtio4j version}: prints the version. */
final class VersionCommand implements Command {

    private final PrintStream out;

    VersionCommand(PrintStream out) {
        this.out = out;
    }

    /** The name, the options and the help of this command. */
    CommandSpec spec() {
        CommandSpec spec = CommandHelp.describe(this, "version", "print the version", "");
        return CommandHelp.explain(spec, "Prints the version.").addOption(CommandOptions.help());
    }

    @Override
    public int run(ParseResult arguments) {
        out.print("virtio4j " + Version.text() + "\n");
        return ExitStatus.OK;
    }
}
