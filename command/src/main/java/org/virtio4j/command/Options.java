// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.command;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The parsed arguments of a command: options with their values, and operands. An option is written {@code --name},
 * with a value {@code --name VALUE} or {@code --name=VALUE}. After {@code --} nothing is an option.
 */
public final class Options {

    /** The option of every command that asks how it is used. */
    public static final String HELP = "--help";

    private final Map<String, String> values = new HashMap<>();
    private final List<String> operands = new ArrayList<>();

    private Options() {
    }

    /**
     * Parses arguments.
     *
     * @param args  what the user wrote after the command
     * @param known the options of the command, each with whether it has a value
     * @return the parsed arguments
     * @throws CommandFailure if an option is unknown, given twice, or lacks its value
     */
    public static Options parse(List<String> args, Map<String, Boolean> known) throws CommandFailure {
        Options options = new Options();
        int at = 0;
        while (at < args.size() && !args.get(at).equals("--")) {
            String arg = args.get(at++);
            if (!arg.startsWith("-") || arg.equals("-")) {
                options.operands.add(arg);
                continue;
            }
            String name = arg.equals("-h") ? HELP : arg.split("=", 2)[0];
            check(name, known);
            boolean valueFollows = Boolean.TRUE.equals(known.get(name)) && !arg.contains("=");
            options.put(arg, name, known, valueFollows && at < args.size() ? args.get(at) : null);
            at += valueFollows ? 1 : 0;
        }
        options.operands.addAll(args.subList(Math.min(at + 1, args.size()), args.size()));
        return options;
    }

    /**
     * Whether an option was given.
     *
     * @param name with its dashes
     * @return true if it was
     */
    public boolean has(String name) {
        return values.containsKey(name);
    }

    /**
     * The value of an option.
     *
     * @param name with its dashes
     * @return null if the option was not given
     */
    public @Nullable String value(String name) {
        return values.get(name);
    }

    /**
     * The value of an option that names a file.
     *
     * @param name with its dashes
     * @return null if the option was not given
     * @throws CommandFailure if no file can have this name
     */
    public @Nullable Path path(String name) throws CommandFailure {
        String text = value(name);
        try {
            return text == null ? null : Path.of(text);
        } catch (InvalidPathException impossible) {
            throw new CommandFailure("'" + text + "': expected a file name, found " + impossible.getReason());
        }
    }

    /**
     * The arguments that are not options.
     *
     * @return in the order it was given
     */
    public List<String> operands() {
        return operands;
    }

    /**
     * Refuses operands, for a command that takes none.
     *
     * @throws CommandFailure if there is one
     */
    public void refuseOperands() throws CommandFailure {
        if (!operands.isEmpty()) {
            throw new CommandFailure("expected options only, found '" + operands.getFirst() + "'");
        }
    }

    private static void check(String name, Map<String, Boolean> known) throws CommandFailure {
        if (!known.containsKey(name)) {
            throw new CommandFailure("unknown option '" + name + "'"
                    + NearestName.hint(name, known.keySet().stream().sorted().toList()));
        }
    }

    private void put(String arg, String name, Map<String, Boolean> known, @Nullable String next)
            throws CommandFailure {
        boolean takesValue = Boolean.TRUE.equals(known.get(name));
        int equalsSign = arg.indexOf('=');
        String value = equalsSign < 0 ? next : arg.substring(equalsSign + 1);
        if (!takesValue && equalsSign >= 0) {
            throw new CommandFailure("option " + name + ": expected no value, found '" + value + "'");
        }
        if (takesValue && (value == null || value.isEmpty())) {
            throw new CommandFailure("option " + name + ": expected a value, found none");
        }
        if (values.put(name, value == null ? "" : value) != null) {
            throw new CommandFailure("option " + name + ": expected once, found twice");
        }
    }
}
