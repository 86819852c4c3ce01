// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.virtio4j.command.CommandFailure;

/** The schema for editors says what the reader takes, and the reader takes what the schema says. */
class SchemaTest {

    private static final Path DOCS = Path.of(System.getProperty("virtio4j.home", ".."), "docs");

    @TempDir
    private Path folder;
    private Map<String, Object> schema = Map.of();

    @BeforeEach
    void read() throws IOException {
        Files.write(folder.resolve("disk.img"), new byte[65_536]);
        schema = object(JsonTree.read(DOCS.resolve("virtio4j.schema.json")));
    }

    @ParameterizedTest
    @EnumSource
    void shouldHaveTheKeysOfTheReaderWithTheirTypes(ConfigTable table) {
        Map<String, String> types = table.keys().stream().collect(Collectors.toMap(ConfigKey::name, key ->
                switch (key.type()) {
                    case TEXT -> "string";
                    case NUMBER -> "integer";
                    case FLAG -> "boolean";
                    case LIST -> "array";
                }));
        Map<String, Object> properties = properties(table);
        Set<String> tables = table == ConfigTable.MACHINE ? Set.of("iommu", "disk", "rng", "console") : Set.of();
        Set<String> names = new TreeSet<>(types.keySet());
        names.addAll(tables);
        assertEquals(names, new TreeSet<>(properties.keySet()));
        types.forEach((name, type) -> assertEquals(type, property(table, name).get("type"), name));
        properties.keySet().forEach(name -> assertTrue(property(table, name).get("description") instanceof String text
                && text.endsWith("."), name));
        assertEquals(false, definition(table.word()).get("additionalProperties"));
    }

    @Test
    void shouldNestTheTables() {
        assertEquals(Map.of("$ref", "#/definitions/machine"),
                object(object(object(schema.get("properties")).get("machine")).get("items")));
        assertEquals(Map.of("$ref", "#/definitions/iommu"), properties(ConfigTable.MACHINE).get("iommu"));
        for (ConfigTable table : List.of(ConfigTable.DISK, ConfigTable.RNG, ConfigTable.CONSOLE)) {
            assertEquals(Map.of("$ref", "#/definitions/" + table.word()),
                    object(properties(ConfigTable.MACHINE).get(table.word())).get("items"));
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldHaveTheRangesOfTheReader(ConfigTable table) throws IOException {
        for (ConfigKey key : table.keys()) {
            if (key.type() == ConfigKey.Type.NUMBER) {
                long[] possible = possible(property(table, key.name()));
                assertTakes(table, key + " = " + possible[0]);
                assertTakes(table, key + " = " + possible[possible.length - 1]);
                assertRefuses(table, key + " = " + (possible[0] - 1));
                assertRefuses(table, key + " = " + possible[possible.length - 1] * 2);
                assertRefuses(table, key + " = " + (possible[possible.length - 1] + 1));
                assertEquals(Arrays.stream(possible).filter(number -> takes(table, key + " = " + number)).count(),
                        possible.length, key.name());
            }
        }
    }

    /** From the least to the largest. */
    private static long[] possible(Map<String, Object> property) {
        return property.get("enum") instanceof List<?> numbers
                ? numbers.stream().mapToLong(number -> (long) number).toArray()
                : LongStream.of((long) Objects.requireNonNull(property.get("minimum")),
                        (long) Objects.requireNonNull(property.get("maximum"))).toArray();
    }

    @ParameterizedTest
    @EnumSource
    void shouldHaveTheWordsOfTheReader(ConfigTable table) throws IOException {
        for (ConfigKey key : table.keys()) {
            boolean list = key.type() == ConfigKey.Type.LIST;
            Map<String, Object> property = property(table, key.name());
            for (Object word : words(list ? object(property.get("items")) : property)) {
                String value = list ? "[\"" + word + "\"]" : "\"" + word + "\"";
                assertTakes(table, needed(key) + key + " = " + value);
                assertRefuses(table, needed(key) + key + " = " + value.replace(String.valueOf(word), word + "x"));
            }
        }
    }

    /** The line without which a key is refused. */
    private static String needed(ConfigKey key) {
        return key.equals(Keys.IDLE) ? "poll = true\n" : key.equals(Keys.INTERRUPTS) ? "board = \"virt\"\n" : "";
    }

    private static List<Object> words(Map<String, Object> property) {
        List<Object> words = new ArrayList<>();
        if (property.get("enum") instanceof List<?> some) {
            some.stream().filter(String.class::isInstance).forEach(words::add);
        }
        if (property.get("anyOf") instanceof List<?> choices) {
            choices.forEach(choice -> words.addAll(words(object(choice))));
        }
        return words;
    }

    @ParameterizedTest
    @EnumSource
    void shouldHaveTheDefaultsOfTheReader(ConfigTable table) throws IOException, CommandFailure {
        for (ConfigKey key : table.keys()) {
            Object value = property(table, key.name()).get("default");
            if (value != null) {
                String without = PlanText.of(MachineReader.read(write(table, needed(key))));
                String with = PlanText.of(MachineReader.read(write(table, needed(key) + key + " = " + toml(value))));
                assertEquals(without, with, key.name());
            }
        }
    }

    private static String toml(Object value) {
        return switch (value) {
            case String text -> '"' + text + '"';
            case List<?> list -> list.stream().map(SchemaTest::toml).collect(Collectors.joining(", ", "[", "]"));
            default -> value.toString();
        };
    }

    @Test
    void shouldHavePatternsThatAgreeWithTheReader() throws IOException {
        Pattern address = pattern(definition("address"));
        for (String text : List.of("00:07.0", "0:1f.0", "00:1F.0", "00:7.0", "01:07.0", "00:07.1", "00:20.0", "0007.0",
                "00:07", "000:07.0", "00:007.0", "x00:07.0", "00:07.00")) {
            Path file = Files.writeString(folder.resolve("vm.toml"), text(ConfigTable.MACHINE, "")
                    .replace("00:09.0", text));
            assertEquals(takes(file), address.matcher(text).find(), text);
        }
        for (ConfigKey key : List.of(Keys.INPUT_RANGE, Keys.DOMAIN_RANGE)) {
            Pattern range = pattern(property(ConfigTable.IOMMU, key.name()));
            for (String text : List.of("0-fffff", "0-65535", "0", "0-", "-1", "0 - 1", "0-fffffffffffffffff",
                    "0x0-0x1000", "0-FFFF", "4096-8191")) {
                assertEquals(takes(ConfigTable.IOMMU, key + " = \"" + text + "\""), range.matcher(text).find(),
                        key + " " + text);
            }
        }
    }

    @Test
    void shouldWantTheKeysThatTheReaderWants() throws IOException {
        for (ConfigTable table : ConfigTable.values()) {
            for (Object name : (List<?>) Objects.requireNonNull(definition(table.word()).get("required"))) {
                String text = text(table, "");
                int header = text.indexOf(table.header());
                String shorter = name.equals("iommu") ? text.replace("[machine.iommu]", "[machine.other]")
                        : text.substring(0, header)
                                + text.substring(header).replaceFirst("(?m)^" + name + " = .*\n", "");
                assertFalse(takes(Files.writeString(folder.resolve("vm.toml"), shorter)), table + " " + name);
            }
        }
    }

    @Test
    void shouldAgreeWithTheGuide() throws IOException, CommandFailure {
        String guide = Files.readString(DOCS.resolve("qemu.md"));
        Matcher toml = Pattern.compile("```toml\n(#.*?\n(\\[\\[machine]]\n.*?))```", Pattern.DOTALL).matcher(guide);
        Matcher former = Pattern.compile("```\n(\\[machine]\n.*?)```", Pattern.DOTALL).matcher(guide);
        assertTrue(toml.find() && former.find());
        assertEquals(1, MachineReader.read(Files.writeString(folder.resolve("vm.toml"), toml.group(1))).size());
        assertEquals(toml.group(2),
                FormerToToml.convert(Files.writeString(folder.resolve("vm.conf"), former.group(1))));
        assertTrue(guide.contains("#:schema docs/virtio4j.schema.json\n"));
        Stream.of(ConfigTable.values()).flatMap(table -> table.keys().stream()).forEach(key ->
                assertTrue(guide.contains("`" + key + "`"), key.name()));
    }

    private static String text(ConfigTable table, String lines) {
        return String.join("\n",
                "[[machine]]", "folder = \"run\"", table == ConfigTable.MACHINE ? lines : "",
                "[machine.iommu]", "address = \"00:08.0\"",
                lines.startsWith("reserved") ? "" : "reserved = []", table == ConfigTable.IOMMU ? lines : "",
                "[[machine.rng]]", "address = \"00:09.0\"", table == ConfigTable.RNG ? lines : "",
                "[[machine.disk]]", "address = \"00:0a.0\"", "file = \"disk.img\"",
                table == ConfigTable.DISK ? lines : "",
                "[[machine.console]]", "address = \"00:0b.0\"", "socket = \"console.sock\"",
                table == ConfigTable.CONSOLE ? lines : "", "");
    }

    private Path write(ConfigTable table, String lines) throws IOException {
        return Files.writeString(folder.resolve("vm.toml"), text(table, lines));
    }

    private void assertTakes(ConfigTable table, String lines) throws IOException {
        Path file = write(table, lines);
        assertTrue(takes(file), () -> table + ": " + lines + ": "
                + assertThrows(CommandFailure.class, () -> MachineReader.read(file)).getMessage());
    }

    private void assertRefuses(ConfigTable table, String lines) throws IOException {
        assertFalse(takes(write(table, lines)), table + ": " + lines);
    }

    private boolean takes(ConfigTable table, String lines) {
        try {
            return takes(write(table, lines));
        } catch (IOException unwritten) {
            throw new UncheckedIOException(unwritten);
        }
    }

    private static boolean takes(Path file) {
        try {
            return MachineReader.read(file).size() == 1;
        } catch (CommandFailure refused) {
            return false;
        }
    }

    private static Pattern pattern(Map<String, Object> property) {
        return Pattern.compile((String) Objects.requireNonNull(property.get("pattern")));
    }

    private Map<String, Object> definition(String name) {
        return object(object(schema.get("definitions")).get(name));
    }

    private Map<String, Object> properties(ConfigTable table) {
        return object(definition(table.word()).get("properties"));
    }

    /** What a reference refers to, if it is one. */
    private Map<String, Object> property(ConfigTable table, String name) {
        Map<String, Object> property = object(properties(table).get(name));
        return property.get("$ref") instanceof String reference
                ? definition(reference.substring(reference.lastIndexOf('/') + 1)) : property;
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> object(@Nullable Object value) {
        return (Map<String, Object>) Objects.requireNonNull(value);
    }
}
