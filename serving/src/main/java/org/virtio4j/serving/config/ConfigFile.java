// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving.config;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.virtio4j.command.CommandFailure;

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
 * <p>Spaces around all of these are ignored, and so is a byte order mark at the beginning. Nothing is quoted or
 * escaped. This class does not know what the sections mean.
 */
public final class ConfigFile {

    private static final int MOST_BYTES = 1 << 20;

    /** Some editors put it before the text to say that it is UTF-8. */
    private static final String BYTE_ORDER_MARK = "\ufeff";
    private static final int UTF_16_MARK = 0xfeff;
    private static final int UTF_16_MARK_SWAPPED = 0xfffe;

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
        return new CommandFailure(file + ":" + line + ": " + visible(message));
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
            byte[] bytes = bytes(file);
            refuseUtf16(file, bytes);
            String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
            return (text.startsWith(BYTE_ORDER_MARK) ? text.substring(1) : text).lines().toList();
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

    private static byte[] bytes(Path file) throws IOException, CommandFailure {
        if (Files.isDirectory(file)) {
            throw new CommandFailure(file + ": expected a configuration, found a folder");
        }
        try (InputStream stream = Files.newInputStream(file)) {
            byte[] bytes = stream.readNBytes(MOST_BYTES + 1);
            if (bytes.length > MOST_BYTES) {
                throw new CommandFailure(file + ": expected a configuration, found a file of more than " + MOST_BYTES
                        + " bytes");
            }
            return bytes;
        }
    }

    private static void refuseUtf16(Path file, byte[] bytes) throws CommandFailure {
        int mark = bytes.length < 2 ? 0 : ((bytes[0] & 0xff) << Byte.SIZE) | (bytes[1] & 0xff);
        if (mark == UTF_16_MARK || mark == UTF_16_MARK_SWAPPED) {
            throw new CommandFailure(file + ": expected text in UTF-8, found UTF-16; save it as UTF-8");
        }
    }

    /** Invisible characters, and those that change the state of a terminal, become their numbers. */
    private static String visible(String text) {
        StringBuilder visible = new StringBuilder();
        text.codePoints().forEach(point -> {
            if (isVisible(point)) {
                visible.appendCodePoint(point);
            } else {
                visible.append(String.format(Locale.ROOT, "\\u%04x", point));
            }
        });
        return visible.toString();
    }

    private static boolean isVisible(int point) {
        return switch (Character.getType(point)) {
            case Character.CONTROL, Character.FORMAT, Character.SURROGATE, Character.PRIVATE_USE, Character.UNASSIGNED,
                    Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR -> false;
            case Character.SPACE_SEPARATOR -> point == ' ';
            default -> true;
        };
    }
}
