// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving.config;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.virtio4j.command.CommandFailure;

/** One table of a {@link ConfigFile}: its values, and where they stand. */
final class ConfigSection {

    /** A value: a string, a {@link Long}, a {@link Boolean}, or a list of {@link Word}; and where it stands. */
    record Value(Object value, Place place) {
    }

    /** A string of a list. */
    record Word(String text, Place place) {
    }

    private final Place place;
    private final ConfigTable table;
    private final Map<ConfigKey, Value> values = new LinkedHashMap<>();

    ConfigSection(Place place, ConfigTable table) {
        this.place = place;
        this.table = table;
    }

    ConfigTable table() {
        return table;
    }

    /** Where its header stands. */
    Place place() {
        return place;
    }

    int line() {
        return place.line();
    }

    /** How its file writes the header. */
    String header() {
        return isFormer() ? table.formerHeader() : table.header();
    }

    /** How its file writes that a flag is set. */
    String yes() {
        return isFormer() ? "yes" : "true";
    }

    boolean isFormer() {
        return place.column() == 0;
    }

    /** Takes a value of the type of its key. Returns the one that it had before, which stays. */
    @Nullable Value put(ConfigKey key, Value value) {
        return values.putIfAbsent(key, value);
    }

    /** What it says, without the places. */
    Map<ConfigKey, Object> content() {
        Map<ConfigKey, Object> content = new LinkedHashMap<>();
        values.forEach((key, value) -> content.put(key, key.type() == ConfigKey.Type.LIST
                ? words(key).stream().map(Word::text).toList() : value.value()));
        return content;
    }

    boolean has(ConfigKey key) {
        return values.containsKey(key);
    }

    Optional<String> text(ConfigKey key) {
        return Optional.ofNullable(values.get(key)).map(value -> (String) value.value());
    }

    String required(ConfigKey key) throws CommandFailure {
        return text(key).orElseThrow(() -> failure("expected a key " + key + " in " + header() + ", found none"));
    }

    /** Parses a string with a function that throws IllegalArgumentException for what it cannot parse. */
    <T> T parsed(ConfigKey key, Function<String, T> meaning) throws CommandFailure {
        String text = required(key);
        return sensible(key, value(key).place(), () -> meaning.apply(text));
    }

    /** Parses each string of a list; nothing if the key is not there. */
    <T> List<T> parsedList(ConfigKey key, Function<String, T> meaning) throws CommandFailure {
        List<T> parsed = new ArrayList<>();
        for (Word word : has(key) ? words(key) : List.<Word>of()) {
            parsed.add(sensible(key, word.place(), () -> meaning.apply(word.text())));
        }
        return parsed;
    }

    /** Does something with a value that is there, and that may prove to be not possible. */
    void apply(ConfigKey key, Runnable use) throws CommandFailure {
        sensible(key, value(key).place(), () -> {
            use.run();
            return key;
        });
    }

    private static <T> T sensible(ConfigKey key, Place where, Supplier<T> meaning)
            throws CommandFailure {
        try {
            return meaning.get();
        } catch (IllegalArgumentException senseless) {
            throw where.failure(named(key, String.valueOf(senseless.getMessage())));
        }
    }

    long number(ConfigKey key, long otherwise) {
        return has(key) ? (long) value(key).value() : otherwise;
    }

    boolean flag(ConfigKey key, boolean otherwise) {
        return has(key) ? (boolean) value(key).value() : otherwise;
    }

    /** A relative name starts at the folder of the configuration. */
    Path path(ConfigKey key) throws CommandFailure {
        String text = required(key);
        try {
            return place.file().toAbsolutePath().resolveSibling(text).normalize();
        } catch (InvalidPathException impossible) {
            throw failure(key, "expected a file name, found " + impossible.getReason());
        }
    }

    /** A failure with the value of a key that is there. */
    CommandFailure failure(ConfigKey key, String message) {
        return value(key).place().failure(named(key, message));
    }

    /** A failure with the table as a whole. */
    CommandFailure failure(String message) {
        return place.failure(message);
    }

    /** Messages of the devices name the key themselves. */
    private static String named(ConfigKey key, String message) {
        return message.startsWith(key + "=") ? message : key + ": " + message;
    }

    /** A list that is there. */
    @SuppressWarnings("unchecked")
    List<Word> words(ConfigKey key) {
        return (List<Word>) value(key).value();
    }

    private Value value(ConfigKey key) {
        return Objects.requireNonNull(values.get(key));
    }
}
