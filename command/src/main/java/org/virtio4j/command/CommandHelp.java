// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.command;

import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.UsageMessageSpec;

/** Describes commands, so that the help of all has the same form. */
public final class CommandHelp {

    private static final String PROGRAM = "virtio4j";

    private CommandHelp() {
    }

    /**
     * The beginning of a description, without options and operands.
     *
     * @param command  the user object: a {@link Command}, or another object if the command is only described
     * @param name     without the name of the program
     * @param about    what the list of commands says about it
     * @param synopses the forms that its arguments have
     * @return a new description
     */
    public static CommandSpec describe(Object command, String name, String about, String... synopses) {
        CommandSpec spec = CommandSpec.wrapWithoutInspection(command).name(name);
        spec.usageMessage().header(about).customSynopsis(synopsis(PROGRAM + " " + name + " ", synopses))
                .sortOptions(false).descriptionHeading("%n").parameterListHeading("%n").optionListHeading("%n");
        return spec;
    }

    /**
     * Adds what the exit statuses mean.
     *
     * @param spec  the description
     * @param texts each a status, a colon and a text
     * @return the description
     */
    public static CommandSpec exits(CommandSpec spec, String... texts) {
        spec.usageMessage().exitCodeListHeading("%nExit status:%n")
                .exitCodeList(UsageMessageSpec.keyValuesMap(texts));
        return spec;
    }

    private static String[] synopsis(String command, String... synopses) {
        String[] lines = new String[synopses.length];
        for (int i = 0; i < lines.length; i++) {
            lines[i] = (i == 0 ? "" : " ".repeat("Usage: ".length())) + (command + synopses[i]).strip();
        }
        return lines;
    }
}
