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
import java.util.Locale;
import org.virtio4j.command.CommandFailure;

/** The characters of a configuration, whatever its format. */
final class ConfigText {

    private static final int MOST_BYTES = 1 << 20;

    /** Some editors put it before the text to say that it is UTF-8. */
    private static final String BYTE_ORDER_MARK = "\ufeff";
    private static final int UTF_16_MARK = 0xfeff;
    private static final int UTF_16_MARK_SWAPPED = 0xfffe;

    private ConfigText() {
    }

    /**
     * Reads a file.
     *
     * @param file in UTF-8, at most 1 MiB
     * @return its text without a byte order mark
     * @throws CommandFailure if it cannot be read; it names the file
     */
    static String read(Path file) throws CommandFailure {
        try {
            byte[] bytes = bytes(file);
            refuseUtf16(file, bytes);
            String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
            return text.startsWith(BYTE_ORDER_MARK) ? text.substring(1) : text;
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
    static String visible(String text) {
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
