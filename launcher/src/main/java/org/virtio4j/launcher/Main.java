// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import org.virtio4j.command.CommandFailure;
import org.virtio4j.command.CommandRunner;
import org.virtio4j.command.ExitStatus;
import org.virtio4j.command.Interruption;
import org.virtio4j.command.NearestName;

/** The main of the launcher: the first argument names the command, which gets the others. */
public final class Main {

    private static final List<String> COMMANDS = List.of("guest", "serve", "replay", "version", "help");

    /** What the script {@code virtio4j} does itself, so that a mistyped one of these is understood, too. */
    private static final List<String> SCRIPT_COMMANDS = List.of("bench", "test", "build", "mvn", "jdk");

    private static final String USAGE = """
            Usage: virtio4j COMMAND [ARGUMENT...]

              guest              boot a Linux guest with an IOMMU, and a disk and an entropy source behind it
              serve              serve the same devices to a client of your own, such as QEMU
              replay [TRACE...]  play recorded virtio-iommu traffic back and compare
              version            print the version
              help               print this

            "virtio4j COMMAND --help" says more about a command.
            """;

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
        return CommandRunner.run(out, err, () -> dispatch(args, out, err, interruption));
    }

    private static int dispatch(List<String> args, PrintStream out, PrintStream err, Interruption interruption)
            throws CommandFailure {
        String command = args.isEmpty() ? "help" : args.getFirst();
        List<String> rest = args.isEmpty() ? args : args.subList(1, args.size());
        return switch (command) {
            case "guest" -> new GuestCommand(out, err, interruption).run(rest);
            case "serve" -> new ServeCommand(out, err, interruption).run(rest);
            case "replay" -> new ReplayCommand(out, err, interruption).run(rest);
            case "version", "--version" -> print(out, "virtio4j " + Version.text() + "\n", rest);
            case "help", "--help", "-h" -> print(out, USAGE, rest);
            default -> throw new CommandFailure("unknown command '" + command + "'"
                    + NearestName.hint(command, known()));
        };
    }

    /** The script says where the project is. */
    private static List<String> known() {
        List<String> known = new ArrayList<>(COMMANDS);
        if (System.getProperty("virtio4j.home") != null) {
            known.addAll(SCRIPT_COMMANDS);
        }
        return known;
    }

    private static int print(PrintStream out, String text, List<String> rest) throws CommandFailure {
        if (!rest.isEmpty()) {
            throw new CommandFailure("expected no argument, found '" + rest.getFirst() + "'");
        }
        out.print(text);
        return ExitStatus.OK;
    }
}
