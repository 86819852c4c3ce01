// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving.config;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.virtio4j.command.CommandFailure;
import org.virtio4j.command.NearestName;
import org.virtio4j.serving.config.ConfigFile.MachineTables;
import org.virtio4j.serving.config.ConfigSection.Value;
import org.virtio4j.serving.config.ConfigSection.Word;

/**
 * The format before TOML, read for one version more:
 *
 * <pre>
 *   # from a hash sign at the beginning of a line to its end: for people
 *   [section]
 *   key = value
 *   [section its-name]
 *   key = value with spaces inside
 * </pre>
 *
 * <p>Spaces around all of these are ignored. Nothing is quoted or escaped.
 */
final class FormerFormat {

    /** Each is looked for at the beginning of a line or value. */
    private static final Pattern TOML_HEADER = Pattern.compile("\\[\\[|\\[[^\\s\\]]*\\.");
    private static final Pattern MACHINE_KEY = Pattern.compile("[\"']?machine[\"']?\\s*[=.]");
    private static final Pattern ADDRESS = Pattern.compile("address\\s*=\\s*");
    private static final Pattern NAMED_HEADER = Pattern.compile("\\[\\s*[\\w-]+\\s+[^\\s.\\]][^\\]]*]");
    private static final Pattern TOML_VALUE = Pattern.compile("[\"'\\[{]|(true|false|[-+]?\\d[\\d_]*)\\s*(#|$)");
    private static final Pattern SEPARATOR = Pattern.compile("[,\\s]+");

    private final List<MachineTables> machines = new ArrayList<>();
    private final List<ConfigSection> devices = new ArrayList<>();
    private @Nullable ConfigSection machine;
    private @Nullable ConfigSection iommu;
    private @Nullable ConfigSection section;

    private FormerFormat() {
    }

    /**
     * Whether a text has the former format and not TOML. Blank lines and lines that begin with {@code #} do not count.
     * The first of these rules that applies decides:
     *
     * <ol>
     *   <li>A line that begins with {@code [[}, or a header with a dot such as {@code [machine.iommu]}: TOML.
     *   <li>The first line sets a key {@code machine}, as an inline array of TOML would: TOML.
     *   <li>There is a line {@code address = VALUE}: TOML if the first one's value begins with a quotation mark, else
     *       the former format.
     *   <li>A header with a name such as {@code [machine mail]}, or a value that TOML does not have, such as
     *       {@code yes}: the former format.
     *   <li>Everything else, and a text without any line that counts: TOML.
     * </ol>
     *
     * <p>This is exact for each file that can be served. One of the former format has no section that the first two
     * rules would take for TOML, and has an address, whose colon needs quotes in TOML. One in TOML has
     * {@code [[machine]]}, or begins with {@code machine = [}. The other rules choose the format whose messages help
     * more with a file that cannot be served.
     */
    static boolean isFormer(String text) {
        List<String> lines = text.lines().map(String::strip)
                .filter(line -> !line.isEmpty() && !line.startsWith("#")).toList();
        if (lines.stream().anyMatch(line -> TOML_HEADER.matcher(line).lookingAt())
                || (!lines.isEmpty() && MACHINE_KEY.matcher(lines.getFirst()).lookingAt())) {
            return false;
        }
        return lines.stream().filter(line -> ADDRESS.matcher(line).lookingAt()).findFirst()
                .map(line -> !isQuoted(ADDRESS.matcher(line).replaceFirst("")))
                .orElseGet(() -> lines.stream().anyMatch(FormerFormat::isFormerLine));
    }

    private static boolean isQuoted(String value) {
        return value.startsWith("\"") || value.startsWith("'");
    }

    private static boolean isFormerLine(String line) {
        int equalsSign = line.indexOf('=');
        return line.startsWith("[") ? NAMED_HEADER.matcher(line).lookingAt()
                : equalsSign >= 0 && !TOML_VALUE.matcher(line.substring(equalsSign + 1).strip()).lookingAt();
    }

    /**
     * Reads a text.
     *
     * @param file for messages
     * @param text without a byte order mark
     * @return its machines in order, at least one
     * @throws CommandFailure if a line is not possible
     */
    static List<MachineTables> read(Path file, String text) throws CommandFailure {
        FormerFormat format = new FormerFormat();
        int number = 0;
        for (String line : text.lines().toList()) {
            number++;
            format.readLine(line.strip(), new Place(file, number, 0));
        }
        format.endMachine();
        if (format.machines.isEmpty()) {
            throw new CommandFailure(file + ": expected a section [machine], found none");
        }
        return format.machines;
    }

    private void readLine(String line, Place place) throws CommandFailure {
        if (line.startsWith("[")) {
            begin(line, place);
        } else if (!line.isEmpty() && !line.startsWith("#")) {
            if (section == null) {
                throw place.failure("expected [machine] first, found '" + line + "'");
            }
            put(section, line, place);
        }
    }

    private void begin(String line, Place place) throws CommandFailure {
        if (!line.endsWith("]")) {
            throw place.failure("expected ']' at the end of '" + line + "'");
        }
        String[] words = line.substring(1, line.length() - 1).strip().split("\\s+", -1);
        if (words.length > 2 || words[0].isEmpty()) {
            throw place.failure("expected [SECTION] or [SECTION NAME], found '" + line + "'");
        }
        ConfigTable table = ConfigTable.of(words[0]).orElseThrow(() -> place.failure(
                "unknown section [" + words[0] + "]" + NearestName.hint(words[0], ConfigTable.words())));
        ConfigSection begun = new ConfigSection(place, table);
        add(begun);
        if (table == ConfigTable.MACHINE && words.length == 2) {
            begun.put(Keys.NAME, new Value(words[1], place));
        }
        section = begun;
    }

    private void add(ConfigSection begun) throws CommandFailure {
        if (begun.table() == ConfigTable.MACHINE) {
            endMachine();
            machine = begun;
        } else if (machine == null) {
            throw begun.failure("expected [machine] first, found " + begun.header());
        } else if (begun.table() != ConfigTable.IOMMU) {
            devices.add(begun);
        } else if (iommu != null) {
            throw begun.failure("expected one [iommu] in a machine, found one on line " + iommu.line() + " too");
        } else {
            iommu = begun;
        }
    }

    private void endMachine() throws CommandFailure {
        if (machine != null) {
            if (iommu == null) {
                throw machine.failure("expected a section [iommu] in the machine, found none");
            }
            machines.add(new MachineTables(machine, iommu, List.copyOf(devices)));
        }
        iommu = null;
        devices.clear();
    }

    private static void put(ConfigSection section, String line, Place place) throws CommandFailure {
        int equalsSign = line.indexOf('=');
        String name = equalsSign < 0 ? "" : line.substring(0, equalsSign).strip();
        String value = equalsSign < 0 ? "" : line.substring(equalsSign + 1).strip();
        if (name.isEmpty() || value.isEmpty()) {
            throw place.failure("expected KEY = VALUE or [SECTION], found '" + line + "'");
        }
        List<ConfigKey> keys = section.table().formerKeys();
        ConfigKey key = keys.stream().filter(known -> known.name().equals(name)).findFirst().orElseThrow(() ->
                place.failure("unknown key '" + name + "' in " + section.header()
                        + NearestName.hint(name, keys.stream().map(ConfigKey::name).toList())));
        Value before = section.put(key, new Value(typed(key, value, place), place));
        if (before != null) {
            throw place.failure("key " + key + ": expected once in " + section.header() + ", found on line "
                    + before.place().line() + " too");
        }
    }

    private static Object typed(ConfigKey key, String text, Place place) throws CommandFailure {
        return switch (key.type()) {
            case TEXT -> text;
            case NUMBER -> number(key, text, place);
            case FLAG -> flag(key, text, place);
            case LIST -> words(key, text).stream().map(word -> new Word(word, place)).toList();
        };
    }

    /** The words of a list; none if the key is {@code reserved} and its value {@code none}. */
    static List<String> words(ConfigKey key, String text) {
        return key.equals(Keys.RESERVED) && text.equals("none") ? List.of() : List.of(SEPARATOR.split(text, -1));
    }

    private static long number(ConfigKey key, String text, Place place) throws CommandFailure {
        try {
            long number = Long.parseLong(text);
            if (number >= key.least() && number <= key.most()) {
                return number;
            }
        } catch (NumberFormatException noNumber) {
            // Refused as numbers out of range are.
        }
        throw place.failure(key + ": expected " + key.least() + " to " + key.most() + ", found '" + text + "'");
    }

    private static boolean flag(ConfigKey key, String text, Place place) throws CommandFailure {
        return switch (text) {
            case "yes" -> true;
            case "no" -> false;
            default -> throw place.failure(key + ": expected yes or no, found '" + text + "'");
        };
    }
}
