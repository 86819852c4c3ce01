// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher.serve;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.virtio4j.launcher.command.CommandFailure;

/**
 * A file of sections with keys and values:
 *
 * <pre>
 *   # from a hash sign at the beginning of a line to its end: for people
 *   [section]
 *   key = value
 *   [section its-name]
 *   key = value with spaces inside
 * </pre>
 *
 * <p>Spaces around all of these do not count. Nothing is quoted or escaped. What the sections mean others know.
 */
public final class ConfigFile {

    private static final long MOST_BYTES = 1 << 20;

    private ConfigFile() {
    }

    /**
     * Reads a file.
     *
     * @param file in UTF-8
     * @return its sections in order
     * @throws CommandFailure if it cannot be read, or a line is none of the above; it names file and line
     */
    static List<ConfigSection> read(Path file) throws CommandFailure {
        List<ConfigSection> sections = new ArrayList<>();
        int number = 0;
        for (String line : lines(file)) {
            number++;
            String text = line.strip();
            if (text.startsWith("[")) {
                sections.add(section(file, number, text));
            } else if (!text.isEmpty() && !text.startsWith("#")) {
                if (sections.isEmpty()) {
                    throw failure(file, number, "expected [machine] first, found '" + text + "'");
                }
                put(sections.getLast(), file, number, text);
            }
        }
        return sections;
    }

    /** A failure that says where. */
    static CommandFailure failure(Path file, int line, String message) {
        return new CommandFailure(file + ":" + line + ": " + message);
    }

    private static ConfigSection section(Path file, int line, String text) throws CommandFailure {
        if (!text.endsWith("]")) {
            throw failure(file, line, "expected ']' at the end of '" + text + "'");
        }
        String[] words = text.substring(1, text.length() - 1).strip().split("\\s+", -1);
        if (words.length > 2 || words[0].isEmpty()) {
            throw failure(file, line, "expected [SECTION] or [SECTION NAME], found '" + text + "'");
        }
        return new ConfigSection(file, line, words[0], words.length == 2 ? words[1] : "");
    }

    private static void put(ConfigSection section, Path file, int line, String text) throws CommandFailure {
        int equalsSign = text.indexOf('=');
        String key = equalsSign < 0 ? "" : text.substring(0, equalsSign).strip();
        String value = equalsSign < 0 ? "" : text.substring(equalsSign + 1).strip();
        if (key.isEmpty() || value.isEmpty()) {
            throw failure(file, line, "expected KEY = VALUE or [SECTION], found '" + text + "'");
        }
        section.put(key, value, line);
    }

    private static List<String> lines(Path file) throws CommandFailure {
        try {
            if (Files.isRegularFile(file) && Files.size(file) > MOST_BYTES) {
                throw new CommandFailure(file + ": expected a configuration, found a file of " + Files.size(file)
                        + " bytes");
            }
            return Files.readAllLines(file);
        } catch (NoSuchFileException missing) {
            throw new CommandFailure(file + ": no such file");
        } catch (AccessDeniedException denied) {
            throw new CommandFailure(file + ": expected a file that can be read, found: no permission");
        } catch (CharacterCodingException binary) {
            throw new CommandFailure(file + ": expected text in UTF-8, found something else");
        } catch (IOException trouble) {
            throw new CommandFailure(file + ": expected a file that can be read, found: " + trouble.getMessage());
        }
    }
}
