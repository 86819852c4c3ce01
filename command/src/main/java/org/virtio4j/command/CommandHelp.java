// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.command;

import java.util.stream.Stream;
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
     * @param command  the {@link Command}
     * @param name     without the name of the program
     * @param about    what the list of commands says about it
     * @param synopses the forms that its arguments have, each a line or several
     * @return a new description
     */
    public static CommandSpec describe(Command command, String name, String about, String... synopses) {
        CommandSpec spec = CommandSpec.wrapWithoutInspection(command).name(name);
        String start = PROGRAM + " " + name + " ";
        String[] lines = Stream.of(synopses).flatMap(synopsis -> (start + synopsis).strip()
                .replace("\n", "\n" + " ".repeat(start.length())).lines()).toArray(String[]::new);
        for (int i = 1; i < lines.length; i++) {
            lines[i] = " ".repeat("Usage: ".length()) + lines[i];
        }
        spec.usageMessage().header(about).customSynopsis(lines).sortOptions(false);
        return spec;
    }

    /**
     * Adds what stands between the synopsis and the options.
     *
     * @param spec the description
     * @param text paragraphs, which are wrapped; an empty line parts them
     * @return the description
     */
    public static CommandSpec explain(CommandSpec spec, String text) {
        spec.usageMessage().descriptionHeading("%n").description((text + "\n").split("\n", -1));
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
}
