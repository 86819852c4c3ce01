// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving.config;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import org.virtio4j.command.CommandFailure;
import org.virtio4j.command.NearestName;

/** One section of a {@link ConfigFile}: parses values, and says what is wrong with them and on which line. */
final class ConfigSection {

    /** A value and the line where it stands. */
    private record Entry(String value, int line) {
    }

    private final Path file;
    private final int line;
    private final String kind;
    private final String name;
    private final Map<String, Entry> entries = new LinkedHashMap<>();

    ConfigSection(Path file, int line, String kind, String name) {
        this.file = file;
        this.line = line;
        this.kind = kind;
        this.name = name;
    }

    /** The first word between the brackets. */
    String kind() {
        return kind;
    }

    /** The second; empty if there is none. */
    String name() {
        return name;
    }

    int line() {
        return line;
    }

    void put(String key, String value, int at) throws CommandFailure {
        Entry before = entries.putIfAbsent(key, new Entry(value, at));
        if (before != null) {
            throw ConfigFile.failure(file, at, "key " + key + ": expected once in [" + kind + "], found on line "
                    + before.line() + " too");
        }
    }

    /** Refuses keys that are not in the list. */
    void allow(List<String> keys) throws CommandFailure {
        for (Map.Entry<String, Entry> entry : entries.entrySet()) {
            if (!keys.contains(entry.getKey())) {
                throw ConfigFile.failure(file, entry.getValue().line(), "unknown key '" + entry.getKey() + "' in ["
                        + kind + "]" + NearestName.hint(entry.getKey(), keys));
            }
        }
    }

    boolean has(String key) {
        return entries.containsKey(key);
    }

    Optional<String> text(String key) {
        return Optional.ofNullable(entries.get(key)).map(Entry::value);
    }

    String required(String key) throws CommandFailure {
        if (!has(key)) {
            throw failure("expected a key " + key + " in [" + kind + "], found none");
        }
        return entry(key).value();
    }

    /** Parses a value with a function that throws IllegalArgumentException for what it cannot parse. */
    <T> T parsed(String key, Function<String, T> meaning) throws CommandFailure {
        try {
            return meaning.apply(required(key));
        } catch (IllegalArgumentException senseless) {
            throw failure(key, String.valueOf(senseless.getMessage()));
        }
    }

    long number(String key, long otherwise, long least, long most) throws CommandFailure {
        if (!has(key)) {
            return otherwise;
        }
        String value = entry(key).value();
        try {
            long number = Long.parseLong(value);
            if (number >= least && number <= most) {
                return number;
            }
        } catch (NumberFormatException noNumber) {
            // Refused as numbers out of range are.
        }
        throw failure(key, "expected " + least + " to " + most + ", found '" + value + "'");
    }

    boolean flag(String key, boolean otherwise) throws CommandFailure {
        return switch (text(key).orElse(otherwise ? "yes" : "no")) {
            case "yes" -> true;
            case "no" -> false;
            case String other -> throw failure(key, "expected yes or no, found '" + other + "'");
        };
    }

    /** A relative name starts at the folder of the configuration. */
    Path path(String key) throws CommandFailure {
        String value = required(key);
        try {
            return file.toAbsolutePath().resolveSibling(value).normalize();
        } catch (InvalidPathException impossible) {
            throw failure(key, "expected a file name, found " + impossible.getReason());
        }
    }

    /** A failure with the value of a key that is there. */
    CommandFailure failure(String key, String message) {
        boolean named = message.startsWith(key + "=");
        return ConfigFile.failure(file, entry(key).line(), named ? message : key + ": " + message);
    }

    /** A failure with the section as a whole. */
    CommandFailure failure(String message) {
        return ConfigFile.failure(file, line, message);
    }

    private Entry entry(String key) {
        return Objects.requireNonNull(entries.get(key));
    }
}
