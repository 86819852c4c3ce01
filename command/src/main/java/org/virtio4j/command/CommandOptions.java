// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.command;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParseResult;

/**
 * The kinds of options that commands have. An option has one name, {@code --name}, and is given once; its value stands
 * behind it as {@code --name VALUE} or {@code --name=VALUE}. A value that cannot be used is refused with a {@link
 * CommandFailure} that names the option.
 */
public final class CommandOptions {

    /** The long name of the option that asks for help. */
    public static final String HELP = "--help";

    /** What operands are called that a command does not take. Help does not show it. */
    private static final String REFUSED = "REFUSED";

    private CommandOptions() {
    }

    /**
     * The option of every command that prints its help.
     *
     * @return {@code -h} or {@code --help}
     */
    public static OptionSpec help() {
        return OptionSpec.builder("-h", HELP).arity("0").usageHelp(true).description("print this").build();
    }

    /**
     * An option without a value.
     *
     * @param name  with its dashes
     * @param about the lines of its help
     * @return the option
     */
    public static OptionSpec flag(String name, String... about) {
        return OptionSpec.builder(name).arity("0").description(about).build();
    }

    /**
     * An option whose value is the name of a file.
     *
     * @param name  with its dashes
     * @param about the lines of its help
     * @return an option of a {@link Path}
     */
    public static OptionSpec file(String name, String... about) {
        return value(name, "FILE", Path.class, CommandOptions::path).description(about).build();
    }

    /**
     * An option whose value is the names of files, with commas between them.
     *
     * @param name  with its dashes
     * @param about the lines of its help
     * @return an option of a list of {@link Path}s
     */
    public static OptionSpec files(String name, String... about) {
        return OptionSpec.builder(name).paramLabel("FILE,...").hideParamSyntax(true).arity("1").splitRegex(",")
                .type(List.class).auxiliaryTypes(Path.class).converters(value(name, CommandOptions::path))
                .description(about).build();
    }

    /**
     * An option whose value is a whole number.
     *
     * @param name  with its dashes
     * @param label what its help calls the number
     * @param least the lowest that can be used
     * @param most  the highest that can be used
     * @param about the lines of its help
     * @return an option of an {@link Integer}
     */
    public static OptionSpec number(String name, String label, int least, int most, String... about) {
        return value(name, label, Integer.class, text -> number(name, text, least, most)).description(about).build();
    }

    /**
     * An option whose value is one of several. Shells complete them.
     *
     * @param <T>    the values
     * @param name   with its dashes; without them, it is the word for an unknown value
     * @param type   of the values
     * @param values whose texts the user writes
     * @param about  the lines of its help
     * @return an option of the type
     */
    public static <T> OptionSpec oneOf(String name, Class<T> type, Collection<T> values, String... about) {
        List<String> names = values.stream().map(String::valueOf).toList();
        return value(name, "NAME", type, text -> oneOf(name, text, names, values))
                .completionCandidates(names).description(about).build();
    }

    /**
     * An option whose value needs a rule of its own.
     *
     * @param <T>       the value
     * @param name      with its dashes
     * @param label     what its help calls the value
     * @param type      of the value
     * @param converter makes the value of a text that is not empty; it throws a {@link CommandFailure} for a text that
     *                  cannot be used
     * @return an option whose help is still to be given
     */
    public static <T> OptionSpec.Builder value(String name, String label, Class<T> type,
            ITypeConverter<? extends T> converter) {
        return OptionSpec.builder(name).paramLabel(label).arity("1").type(type).converters(value(name, converter));
    }

    /**
     * Any number of arguments that are not options.
     *
     * @param <T>       each of them
     * @param label     what help calls them
     * @param type      of one
     * @param converter makes one of a text; it throws a {@link CommandFailure} for a text that cannot be used
     * @return operands, a list, whose help is still to be given
     */
    public static <T> PositionalParamSpec.Builder operands(String label, Class<T> type,
            ITypeConverter<? extends T> converter) {
        return PositionalParamSpec.builder().paramLabel(label).hideParamSyntax(true).index("0..*").arity("0..*")
                .type(List.class).auxiliaryTypes(type).converters(converter);
    }

    /**
     * Refuses operands, where a command takes none or not with these options.
     *
     * @param operands what was given
     * @throws CommandFailure if there is one
     */
    public static void refuseOperands(List<String> operands) throws CommandFailure {
        if (!operands.isEmpty()) {
            throw new CommandFailure("expected options only, found '" + operands.getFirst() + "'");
        }
    }

    /**
     * The name of a file.
     *
     * @param text what the user wrote
     * @return the path
     * @throws CommandFailure if no file can have this name
     */
    public static Path path(String text) throws CommandFailure {
        try {
            return Path.of(text);
        } catch (InvalidPathException impossible) {
            throw new CommandFailure("'" + text + "': expected a file name, found " + impossible.getReason());
        }
    }

    /** The operands of a command that takes none. */
    static PositionalParamSpec refusedOperands() {
        return operands(REFUSED, String.class, text -> text).hidden(true).build();
    }

    /** Refuses operands, where the command takes none. */
    static void refuseOperands(ParseResult parsed) throws CommandFailure {
        List<PositionalParamSpec> taken = parsed.matchedPositionals();
        if (!taken.isEmpty() && taken.getFirst().paramLabel().equals(REFUSED)) {
            throw new CommandFailure(tooMany(parsed.commandSpec(), taken.getFirst().stringValues().getFirst()));
        }
    }

    /** What to say about an operand that the command does not take. */
    static String tooMany(CommandSpec command, String operand) {
        boolean takesOptions = command.options().stream().anyMatch(option -> !option.usageHelp());
        return "expected " + (takesOptions ? "options only" : "no argument") + ", found '" + operand + "'";
    }

    /** What to say about an option whose value is missing. */
    static String missing(String option) {
        return "option " + option + ": expected a value, found none";
    }

    private static <T> ITypeConverter<T> value(String name, ITypeConverter<? extends T> converter) {
        return text -> {
            if (text.isEmpty()) {
                throw new CommandFailure(missing(name));
            }
            return converter.convert(text);
        };
    }

    private static int number(String name, String text, int least, int most) throws CommandFailure {
        try {
            int number = Integer.parseInt(text);
            if (number >= least && number <= most) {
                return number;
            }
        } catch (NumberFormatException noNumber) {
            // Refused as numbers out of range are.
        }
        throw new CommandFailure("option " + name + ": expected " + least + " to " + most + ", found '" + text + "'");
    }

    private static <T> T oneOf(String option, String text, List<String> names, Collection<T> values)
            throws CommandFailure {
        for (T value : values) {
            if (value.toString().equals(text)) {
                return value;
            }
        }
        throw new CommandFailure("unknown " + option.substring(2) + " '" + text + "'" + NearestName.hint(text, names));
    }
}
