// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving.config;

import java.nio.file.Path;
import java.util.Locale;
import java.util.Objects;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.virtio4j.command.CommandFailure;

/** Turns a configuration of the former format into TOML, line by line, so that comments stay where they are. */
public final class FormerToToml {

    private static final Pattern SAFE = Pattern.compile("[\\w./:@%+,=-]+");

    private final StringBuilder toml = new StringBuilder();
    private @Nullable ConfigTable table;

    private FormerToToml() {
    }

    /**
     * Converts a file. The files that it names, such as disks, need not exist.
     *
     * @param file in the former format
     * @return the same in TOML; relative file names in it are still relative to the folder of the file
     * @throws CommandFailure if the file is TOML, or has a mistake; it names file and line
     */
    public static String convert(Path file) throws CommandFailure {
        String text = ConfigText.read(file);
        ConfigFile config = ConfigFile.of(file, text);
        if (!config.former()) {
            throw new CommandFailure(file + ": expected the format before TOML, found TOML already");
        }
        MachineReader.check(config);
        FormerToToml conversion = new FormerToToml();
        text.lines().forEach(conversion::add);
        return conversion.toml.toString();
    }

    /** What a user is told whose configuration has the former format. */
    static String notice(Path file) {
        String name = file.toString();
        String word = SAFE.matcher(name).matches() ? name : "'" + name.replace("'", "'\\''") + "'";
        return ConfigText.visible(file + ": the next version does not read this format; ./virtio4j config-to-toml "
                + word + " prints it as TOML");
    }

    private void add(String line) {
        String stripped = line.strip();
        if (stripped.startsWith("[")) {
            addHeader(stripped.substring(1, stripped.length() - 1).strip().split("\\s+", -1));
        } else if (stripped.isEmpty() || stripped.startsWith("#")) {
            toml.append(comment(stripped)).append('\n');
        } else {
            int equalsSign = stripped.indexOf('=');
            String name = stripped.substring(0, equalsSign).strip();
            ConfigKey key = Objects.requireNonNull(table).key(name).orElseThrow();
            toml.append(name).append(" = ").append(value(key, stripped.substring(equalsSign + 1).strip()))
                    .append('\n');
        }
    }

    private void addHeader(String[] words) {
        ConfigTable begun = ConfigTable.of(words[0]).orElseThrow();
        table = begun;
        toml.append(begun.header());
        if (words.length == 2) {
            toml.append(begun == ConfigTable.MACHINE ? "\nname = " + string(words[1]) : comment(" # " + words[1]));
        }
        toml.append('\n');
    }

    private static String value(ConfigKey key, String text) {
        return switch (key.type()) {
            case TEXT -> string(text);
            case NUMBER -> Long.toString(Long.parseLong(text));
            case FLAG -> Boolean.toString(text.equals("yes"));
            case LIST -> FormerFormat.words(key, text).stream().map(FormerToToml::string)
                    .collect(Collectors.joining(", ", "[", "]"));
        };
    }

    /** A basic string of TOML. */
    private static String string(String text) {
        StringBuilder string = new StringBuilder("\"");
        text.codePoints().forEach(point -> {
            if (point == '"' || point == '\\') {
                string.append('\\').appendCodePoint(point);
            } else if (Character.isISOControl(point)) {
                string.append(String.format(Locale.ROOT, "\\u%04x", point));
            } else {
                string.appendCodePoint(point);
            }
        });
        return string.append('"').toString();
    }

    /** TOML has no control characters in comments. */
    private static String comment(String text) {
        return text.replace('\t', ' ').codePoints().anyMatch(Character::isISOControl) ? ConfigText.visible(text) : text;
    }
}
