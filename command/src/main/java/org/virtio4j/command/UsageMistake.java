// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.command;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import picocli.CommandLine.MaxValuesExceededException;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.OverwrittenOptionException;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** Says what is wrong with a command line, in the form that all messages of this project have. */
final class UsageMistake {

    private UsageMistake() {
    }

    /** One line. The arguments are those that were parsed. */
    static String text(ParameterException mistake, List<String> args) {
        if (mistake.getCause() instanceof CommandFailure unusable) {
            return String.valueOf(unusable.getMessage());
        }
        return switch (mistake) {
            case UnmatchedArgumentException unknown -> unknown(unknown);
            case MissingParameterException missing -> CommandOptions.missing(name(missing.getMissing().getFirst()));
            case OverwrittenOptionException twice -> "option " + name(twice.getOverwritten())
                    + ": expected once, found twice";
            case MaxValuesExceededException tooMuch -> valueOfFlag(tooMuch, args);
            default -> String.valueOf(mistake.getMessage());
        };
    }

    /** Whether an option has a value and this value cannot be used. An empty value counts as none. */
    static boolean isUnusableValue(ParameterException mistake) {
        return mistake.getCause() instanceof CommandFailure && !"".equals(mistake.getValue());
    }

    private static String name(ArgSpec argument) {
        return argument instanceof OptionSpec option ? option.longestName() : argument.paramLabel();
    }

    private static String unknown(UnmatchedArgumentException mistake) {
        CommandSpec command = mistake.getCommandLine().getCommandSpec();
        List<String> found = mistake.getUnmatched();
        Set<String> commands = command.subcommands().keySet();
        String first = found.getFirst();
        boolean dashes = first.equals("--");
        if (dashes && found.size() > 1 && commands.contains(found.get(1))) {
            return "expected nothing before command '" + found.get(1) + "', found '--'";
        }
        if (!commands.isEmpty() && (dashes || !first.startsWith("-"))) {
            return "unknown command '" + first + "'" + NearestName.hint(first, List.copyOf(commands));
        }
        Optional<String> option = found.stream().filter(arg -> arg.startsWith("-")).findFirst();
        if (option.isPresent()) {
            String name = option.get().split("=", 2)[0];
            List<String> known = command.optionsMap().keySet().stream().filter(other -> other.startsWith("--"))
                    .sorted().toList();
            return "unknown option '" + name + "'" + NearestName.hint(name, known);
        }
        return CommandOptions.tooMany(command, first);
    }

    /** The library has the option and its value in its own sentence alone. */
    private static String valueOfFlag(MaxValuesExceededException mistake, List<String> args) {
        for (String arg : args) {
            String[] parts = arg.split("=", 2);
            OptionSpec option = mistake.getCommandLine().getCommandSpec().optionsMap().get(parts[0]);
            if (parts.length == 2 && option != null && option.arity().max() == 0) {
                return "option " + option.longestName() + ": expected no value, found '" + parts[1] + "'";
            }
        }
        return String.valueOf(mistake.getMessage());
    }
}
