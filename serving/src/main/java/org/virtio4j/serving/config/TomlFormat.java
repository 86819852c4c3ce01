// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving.config;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.tomlj.Toml;
import org.tomlj.TomlArray;
import org.tomlj.TomlElement;
import org.tomlj.TomlEntry;
import org.tomlj.TomlKeyValue;
import org.tomlj.TomlParseError;
import org.tomlj.TomlParseOptions;
import org.tomlj.TomlParseResult;
import org.tomlj.TomlPosition;
import org.tomlj.TomlTable;
import org.tomlj.TomlVersion;
import org.virtio4j.command.CommandFailure;
import org.virtio4j.command.NearestName;
import org.virtio4j.serving.config.ConfigFile.MachineTables;
import org.virtio4j.serving.config.ConfigSection.Value;
import org.virtio4j.serving.config.ConfigSection.Word;

/**
 * The format in TOML 1.0: an array of tables {@code [[machine]]}, in each a table {@code [machine.iommu]} and arrays of
 * tables {@code [[machine.disk]]} and {@code [[machine.rng]]}.
 */
final class TomlFormat {

    private static final TomlParseOptions OPTIONS = TomlParseOptions.sourceless().withVersion(TomlVersion.V1_0_0);
    private static final Comparator<TomlPosition> IN_FILE =
            Comparator.comparingInt(TomlPosition::line).thenComparingInt(TomlPosition::column);

    private final Path file;

    private TomlFormat(Path file) {
        this.file = file;
    }

    /**
     * Reads a text.
     *
     * @param file for messages
     * @param text without a byte order mark
     * @return its machines in order, at least one
     * @throws CommandFailure if it is not TOML, or has a table, a key or a value that is not possible
     */
    static List<MachineTables> read(Path file, String text) throws CommandFailure {
        TomlParseResult parsed = Toml.parse(text, OPTIONS);
        Optional<TomlParseError> first = parsed.errors().stream()
                .min(Comparator.comparing(TomlParseError::position, IN_FILE));
        if (first.isPresent()) {
            throw TomlMistake.failure(file, text, first.get());
        }
        return new TomlFormat(file).machines(parsed);
    }

    private List<MachineTables> machines(TomlTable root) throws CommandFailure {
        List<TomlKeyValue> entries = entries(root);
        for (TomlKeyValue entry : entries) {
            if (!entry.key().equals(ConfigTable.MACHINE.word())) {
                throw place(entry).failure(outside(entry));
            }
        }
        List<MachineTables> machines = new ArrayList<>();
        for (TomlEntry machine : entries.isEmpty() ? List.<TomlEntry>of()
                : tables(ConfigTable.MACHINE, entries.getFirst())) {
            machines.add(machine(machine));
        }
        if (machines.isEmpty()) {
            throw new CommandFailure(file + ": expected a table [[machine]], found none");
        }
        return machines;
    }

    /** What to say about something outside of the machines. */
    private static String outside(TomlKeyValue entry) {
        String name = entry.key();
        boolean table = entry.value().isTable() || isArrayOfTables(entry);
        if (!table) {
            return "expected [[machine]] first, found key '" + name + "'";
        }
        String header = entry.value().isTable() ? "[" + name + "]" : "[[" + name + "]]";
        return ConfigTable.of(name).map(known -> "expected " + known.header() + ", found " + header)
                .orElseGet(() -> "unknown table " + header + NearestName.hint(name, ConfigTable.words()));
    }

    private MachineTables machine(TomlEntry entry) throws CommandFailure {
        ConfigSection machine = new ConfigSection(place(entry), ConfigTable.MACHINE);
        @Nullable ConfigSection iommu = null;
        List<ConfigSection> devices = new ArrayList<>();
        for (TomlKeyValue part : entries(entry.value().getTable())) {
            ConfigTable table = ConfigTable.of(part.key()).orElse(ConfigTable.MACHINE);
            if (table == ConfigTable.IOMMU) {
                iommu = section(table, table(table, part));
            } else if (table != ConfigTable.MACHINE) {
                for (TomlEntry device : tables(table, part)) {
                    devices.add(section(table, device));
                }
            } else {
                put(machine, part);
            }
        }
        if (iommu == null) {
            throw machine.failure("expected a table [machine.iommu] in the machine, found none");
        }
        devices.sort(Comparator.comparing(ConfigSection::place));
        return new MachineTables(machine, iommu, devices);
    }

    private TomlKeyValue table(ConfigTable table, TomlKeyValue entry) throws CommandFailure {
        if (!entry.value().isTable()) {
            throw place(entry).failure("expected " + table.header() + ", found "
                    + (isArrayOfTables(entry) ? "[" + table.header() + "]: a machine has one" : shown(entry)));
        }
        return entry;
    }

    private List<TomlEntry> tables(ConfigTable table, TomlKeyValue entry) throws CommandFailure {
        if (entry.value().isTable()) {
            String single = table.header().substring(1, table.header().length() - 1);
            throw place(entry).failure("expected " + table.header() + ", found " + single + ": there may be several");
        }
        if (!entry.value().isArray()) {
            throw place(entry).failure("expected " + table.header() + ", found " + shown(entry));
        }
        TomlArray array = entry.value().getArray();
        List<TomlEntry> tables = new ArrayList<>();
        for (int i = 0; i < array.size(); i++) {
            TomlEntry element = Objects.requireNonNull(array.entry(i));
            if (!element.value().isTable()) {
                throw place(element).failure("expected " + table.header() + ", found " + shown(element));
            }
            tables.add(element);
        }
        return tables;
    }

    private static boolean isArrayOfTables(TomlEntry entry) {
        return entry.value().isArray() && !entry.value().getArray().isEmpty()
                && entry.value().getArray().isTable(0);
    }

    private ConfigSection section(ConfigTable table, TomlEntry entry) throws CommandFailure {
        ConfigSection section = new ConfigSection(place(entry), table);
        for (TomlKeyValue part : entries(entry.value().getTable())) {
            put(section, part);
        }
        return section;
    }

    private void put(ConfigSection section, TomlKeyValue entry) throws CommandFailure {
        ConfigTable table = section.table();
        Optional<ConfigKey> key = table.key(entry.key());
        if (key.isEmpty()) {
            throw place(entry).failure(unknown(table, entry));
        }
        section.put(key.get(), new Value(typed(key.get(), entry), place(entry.value())));
    }

    private static String unknown(ConfigTable table, TomlKeyValue entry) {
        String name = entry.key();
        List<String> owners = Arrays.stream(ConfigTable.values()).filter(other -> other.key(name).isPresent())
                .map(ConfigTable::header).toList();
        String hint = owners.isEmpty() ? NearestName.hint(name, names(table)) : "; it belongs to "
                + String.join(" or ", owners);
        boolean nested = entry.value().isTable() || isArrayOfTables(entry);
        return (nested ? "unknown table '" : "unknown key '") + name + "' in " + table.header() + hint;
    }

    /** What may stand in a table: its keys, and in that of a machine the other tables. */
    private static List<String> names(ConfigTable table) {
        Stream<String> tables = table == ConfigTable.MACHINE
                ? ConfigTable.words().stream().filter(word -> !word.equals(table.word())) : Stream.of();
        return Stream.concat(table.keys().stream().map(ConfigKey::name), tables).toList();
    }

    private Object typed(ConfigKey key, TomlEntry entry) throws CommandFailure {
        return switch (key.type()) {
            case TEXT -> string(key, entry);
            case NUMBER -> number(key, entry);
            case FLAG -> {
                if (!entry.value().isBoolean()) {
                    throw mismatch(key, key.wanted(), entry);
                }
                yield entry.value().getBoolean();
            }
            case LIST -> words(key, entry);
        };
    }

    private String string(ConfigKey key, TomlEntry entry) throws CommandFailure {
        if (!entry.value().isString()) {
            throw mismatch(key, key.type() == ConfigKey.Type.LIST ? "text in quotes" : key.wanted(), entry);
        }
        return entry.value().getString();
    }

    private long number(ConfigKey key, TomlEntry entry) throws CommandFailure {
        if (!entry.value().isLong()) {
            throw mismatch(key, key.wanted(), entry);
        }
        long number = entry.value().getLong();
        if (number < key.least() || number > key.most()) {
            throw place(entry.value()).failure(key + ": expected " + key.least() + " to " + key.most() + ", found '"
                    + number + "'");
        }
        return number;
    }

    private List<Word> words(ConfigKey key, TomlEntry entry) throws CommandFailure {
        if (!entry.value().isArray()) {
            throw mismatch(key, key.wanted(), entry);
        }
        TomlArray array = entry.value().getArray();
        List<Word> words = new ArrayList<>();
        for (int i = 0; i < array.size(); i++) {
            TomlEntry element = Objects.requireNonNull(array.entry(i));
            words.add(new Word(string(key, element), place(element.value())));
        }
        return words;
    }

    private CommandFailure mismatch(ConfigKey key, String wanted, TomlEntry entry) {
        return place(entry.value()).failure(key + ": expected " + wanted + ", found " + shown(entry));
    }

    /** A value for a message. */
    private static String shown(TomlEntry entry) {
        Object value = Objects.requireNonNull(entry.value().get());
        return switch (value) {
            case String text -> "the text \"" + text + "\"";
            case TomlTable table -> "a table";
            case TomlArray array -> "a list";
            default -> String.valueOf(value);
        };
    }

    /** Without comments that stand alone. */
    private static List<TomlKeyValue> entries(TomlTable table) {
        return table.elements().stream().filter(TomlKeyValue.class::isInstance).map(TomlKeyValue.class::cast).toList();
    }

    private Place place(TomlElement element) {
        TomlPosition position = Objects.requireNonNull(element.position());
        return new Place(file, position.line(), position.column());
    }
}
