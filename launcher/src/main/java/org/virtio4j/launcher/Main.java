// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher;

import java.io.PrintStream;
import java.util.List;
import org.virtio4j.command.CommandRunner;
import org.virtio4j.command.Interruption;
import picocli.CommandLine.Model.CommandSpec;

/** The main of the launcher: the first argument names the command, which gets the others. */
public final class Main {

    private Main() {
    }

    /**
     * Runs a command and ends the JVM with its exit status.
     *
     * @param args the command and its arguments
     */
    public static void main(String[] args) {
        Interruption interruption = Interruption.bySignal();
        int status;
        try {
            status = run(List.of(args), System.out, System.err, interruption);
        } finally {
            // Otherwise the JVM would wait for the command's end after an exception.
            interruption.finished();
        }
        System.exit(status);
    }

    /** Runs a command; returns its exit status. */
    static int run(List<String> args, PrintStream out, PrintStream err, Interruption interruption) {
        return CommandRunner.run(out, err, program(out, err, interruption), args);
    }

    private static CommandSpec program(PrintStream out, PrintStream err, Interruption interruption) {
        CommandSpec program = new ProgramCommand(out).spec();
        List<CommandSpec> commands = List.of(new GuestCommand(out, err, interruption).spec(),
                new ServeCommand(out, err, interruption).spec(), new ConfigToTomlCommand(out, interruption).spec(),
                new ReplayCommand(out, err, interruption).spec(), new VersionCommand(out).spec(),
                new CompletionCommand(out).spec(), new HelpCommand(out).spec());
        commands.forEach(command -> program.addSubcommand(command.name(), command));
        // The script says where the project is.
        if (System.getProperty("virtio4j.home") != null) {
            ScriptCommands.addTo(program);
        }
        return program;
    }
}
