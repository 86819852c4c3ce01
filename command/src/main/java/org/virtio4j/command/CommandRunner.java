// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.command;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Help;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.UsageMessageSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * Runs a program's command line to its end: an exit status of the command, or one line that says what cannot be used.
 * The library parses and prints help; it runs nothing, so that no exit status is the library's.
 */
public final class CommandRunner {

    private static final int COLUMNS = 100;
    private static final long MUCH_MEBIBYTES = 256;

    private CommandRunner() {
    }

    /**
     * Runs the command that the arguments name. Output that could not be written is a failure.
     *
     * @param out     where the command prints
     * @param err     where the one line goes
     * @param program the program's commands; the user object of each is a {@link Command}
     * @param args    what the user wrote
     * @return the exit status
     */
    public static int run(PrintStream out, PrintStream err, CommandSpec program, List<String> args) {
        try {
            int status = execute(out, commandLine(program), args);
            if (out.checkError()) {
                throw new CommandFailure("standard output: expected to be written to, but that failed");
            }
            return status;
        } catch (ParameterException mistake) {
            return unusable(err, UsageMistake.text(mistake, args));
        } catch (CommandFailure failure) {
            return unusable(err, failure.getMessage());
        } catch (IllegalCallerException refused) {
            // Native access was granted to another module; the message says to which it must be.
            return unusable(err, refused.getMessage());
        } catch (OutOfMemoryError tooLittle) {
            err.println("virtio4j: out of memory: " + tooLittle.getMessage() + "; " + mend(tooLittle));
            return ExitStatus.FAILED;
        }
    }

    /**
     * The help of a command.
     *
     * @param command whose arguments have been parsed, or whose parent's have
     * @return some lines, each with its end
     */
    public static String help(CommandLine command) {
        List<String> sections = new ArrayList<>(command.getHelpSectionKeys());
        // The header is for the list of commands. A command's own help begins with its synopsis.
        sections.remove(UsageMessageSpec.SECTION_KEY_HEADER);
        // Who does not know a program needs its commands before its options.
        sections.remove(UsageMessageSpec.SECTION_KEY_COMMAND_LIST);
        sections.add(sections.indexOf(UsageMessageSpec.SECTION_KEY_OPTION_LIST_HEADING),
                UsageMessageSpec.SECTION_KEY_COMMAND_LIST);
        // Options are written "--name VALUE" in all documents. Nothing more is parsed now, so the parser may lose "=".
        return command.setHelpSectionKeys(sections).setSeparator(" ").setUsageHelpWidth(COLUMNS)
                .setColorScheme(Help.defaultColorScheme(Help.Ansi.OFF)).getUsageMessage();
    }

    private static CommandLine commandLine(CommandSpec program) {
        // Each command would look for converters of some thirty types by reflection. All options bring their own.
        System.setProperty("picocli.converters.excludes", ".*");
        program.parser().collectErrors(true);
        for (CommandLine command : program.subcommands().values()) {
            CommandSpec spec = command.getCommandSpec();
            spec.parser().collectErrors(true);
            if (spec.positionalParameters().isEmpty()) {
                // Otherwise the library would not say whether an argument stood behind "--".
                spec.addPositional(CommandOptions.refusedOperands());
            }
        }
        return new CommandLine(program)
                .setExpandAtFiles(false)
                .setInterpolateVariables(false)
                .setPosixClusteredShortOptionsAllowed(false);
    }

    private static int execute(PrintStream out, CommandLine program, List<String> args) throws CommandFailure {
        ParseResult parsed = program.parseArgs(args.toArray(String[]::new));
        refuseTwoDashes(parsed, args);
        refuseMistakes(parsed);
        while (parsed.hasSubcommand()) {
            parsed = parsed.subcommand();
            refuseMistakes(parsed);
        }
        CommandSpec command = parsed.commandSpec();
        if (parsed.isUsageHelpRequested()) {
            return print(out, help(command.commandLine()));
        }
        CommandOptions.refuseOperands(parsed);
        // Only now, because who asks for help need not know yet which values there are.
        if (!parsed.errors().isEmpty()) {
            throw (ParameterException) parsed.errors().getFirst();
        }
        return ((Command) command.userObject()).run(parsed);
    }

    /** Behind "--" there would be operands, and what has commands takes none. The library would ignore "--". */
    private static void refuseTwoDashes(ParseResult parsed, List<String> args) {
        int dashes = args.indexOf("--");
        if (dashes < 0 || parsed.hasSubcommand() || parsed.commandSpec().subcommands().isEmpty()) {
            return;
        }
        List<String> unmatched = parsed.unmatched();
        if (unmatched.isEmpty() || args.indexOf(unmatched.getFirst()) > dashes) {
            throw new UnmatchedArgumentException(parsed.commandSpec().commandLine(),
                    List.copyOf(args.subList(dashes, args.size())));
        }
    }

    /** Throws the first mistake that is not in a value. The library accepts anything beside --help. */
    private static void refuseMistakes(ParseResult parsed) {
        for (Exception error : parsed.errors()) {
            if (error instanceof ParameterException mistake && !UsageMistake.isUnusableValue(mistake)) {
                throw mistake;
            }
        }
        if (!parsed.unmatched().isEmpty()) {
            throw new UnmatchedArgumentException(parsed.commandSpec().commandLine(), parsed.unmatched());
        }
    }

    private static int print(PrintStream out, String text) {
        out.print(text);
        return ExitStatus.OK;
    }

    private static int unusable(PrintStream err, @Nullable String message) {
        err.println("virtio4j: " + message);
        return ExitStatus.UNUSABLE;
    }

    /** The JVM's own limits cover its heap and, by the same number, its buffers; the rest the system has refused. */
    private static String mend(OutOfMemoryError tooLittle) {
        String reason = String.valueOf(tooLittle.getMessage());
        boolean own = reason.contains("heap") || reason.contains("GC") || reason.contains("direct buffer");
        long mebibytes = Runtime.getRuntime().maxMemory() >> 20;
        return own ? "Java may use " + mebibytes + " MiB; ask for less, or give it more, such as"
                + " VIRTIO4J_JAVA_OPTS=-Xmx" + Math.max(MUCH_MEBIBYTES, 4 * mebibytes) + "m"
                : "the system refuses to give more; ask for less, or see its limits (ulimit -a)";
    }
}
