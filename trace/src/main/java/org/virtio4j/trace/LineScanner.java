// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.trace;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Cuts a stream into lines and a line into fields, in place: a line is a piece of the one buffer, and a field is read
 * where it lies. Fields are separated by exactly one space.
 */
final class LineScanner implements AutoCloseable {
    /** Enough for a raw request of the greatest size, and for a header of some thousand endpoints. */
    static final int MAX_LINE = 2 * 2 * TraceEvent.MAX_RAW_BYTES + 256;

    private static final int FIRST_BUFFER = 1 << 16;
    private static final int SHOWN_CHARACTERS = 48;

    private final InputStream in;
    private final String file;
    private byte[] buffer = new byte[FIRST_BUFFER];
    private int limit;
    private int lineStart;
    private int lineEnd;
    private int nextLine;
    private int position;
    private int fieldStart;
    private boolean keepLine;
    private boolean ended;
    private long line;

    LineScanner(InputStream in, String file) {
        this.in = in;
        this.file = file;
    }

    long line() {
        return line;
    }

    /** Moves to the next line; false at the end of the stream. */
    boolean nextLine() throws TraceFormatException {
        if (keepLine || ended) {
            keepLine = false;
            return !ended;
        }
        line++;
        lineStart = nextLine;
        int searched = lineStart;
        while (true) {
            int end = newline(searched);
            if (end >= 0) {
                setLine(end, end + 1);
                return true;
            }
            int unfinished = limit - lineStart;
            if (unfinished > MAX_LINE) {
                setLine(limit, limit);
                throw failure("a line of at most " + MAX_LINE + " characters", shown(lineStart, limit));
            }
            if (!fill()) {
                setLine(limit, limit);
                ended = unfinished == 0;
                return !ended;
            }
            searched = lineStart + unfinished;
        }
    }

    /** Makes the next call of {@link #nextLine} stay on this line. */
    void stayOnLine() {
        keepLine = true;
    }

    boolean startsWith(String text) {
        if (lineEnd - lineStart < text.length()) {
            return false;
        }
        for (int i = 0; i < text.length(); i++) {
            if (buffer[lineStart + i] != text.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    String lineText() {
        return new String(buffer, lineStart, lineEnd - lineStart, StandardCharsets.ISO_8859_1);
    }

    /** The line's first character; 0 if the line is empty. The field it begins goes on after it. */
    int firstCharacter() {
        fieldStart = lineStart;
        position = lineStart;
        return position == lineEnd ? 0 : buffer[position++];
    }

    boolean atFieldEnd() {
        return position == lineEnd || buffer[position] == ' ';
    }

    /** Reads the rest of the line's first field, a number without leading zeros from 1 to {@code max}. */
    int index(int max, String expected) throws TraceFormatException {
        if (buffer[position] == '0') {
            throw unexpected(expected);
        }
        long value = digits(max, expected);
        return (int) value;
    }

    /** Reads a field that is a decimal number from 0 to {@code max}, which is below 2<sup>56</sup>. */
    long decimal(long max, String expected) throws TraceFormatException {
        beginField(expected);
        return digits(max, expected);
    }

    /** Reads a field that is a hexadecimal number of at most 16 digits. */
    long hex(String expected) throws TraceFormatException {
        beginField(expected);
        return hexDigits(expected);
    }

    /** Reads a field if it is this one character. */
    boolean skipField(char character) {
        if (lineEnd - position < 2 || buffer[position] != ' ' || buffer[position + 1] != character) {
            return false;
        }
        if (lineEnd - position > 2 && buffer[position + 2] != ' ') {
            return false;
        }
        fieldStart = position + 1;
        position += 2;
        return true;
    }

    /** Starts on a field of pairs of hexadecimal digits and says how many pairs it has; {@code -} is none. */
    int beginBytes(int max, String expected) throws TraceFormatException {
        if (skipField('-')) {
            return 0;
        }
        beginField(expected);
        int end = fieldEnd();
        int digits = end - fieldStart;
        if (digits == 0 || digits % 2 != 0 || digits / 2 > max) {
            throw unexpected(expected);
        }
        return digits / 2;
    }

    /** Reads what {@link #beginBytes} has counted. */
    void bytes(byte[] target, int count, String expected) throws TraceFormatException {
        for (int i = 0; i < count; i++) {
            int high = hexDigit(buffer[position]);
            int low = hexDigit(buffer[position + 1]);
            if ((high | low) < 0) {
                throw unexpected(expected);
            }
            target[i] = (byte) (high << 4 | low);
            position += 2;
        }
    }

    void endOfLine() throws TraceFormatException {
        if (position != lineEnd) {
            fieldStart = position;
            if (buffer[position] == ' ') {
                fieldStart++;
                throw failure("the end of the line", shown(fieldStart, fieldEnd()));
            }
            throw unexpected("the end of the line");
        }
    }

    /** The failure of the field that was begun last. */
    TraceFormatException unexpected(String expected) {
        if (fieldStart == lineEnd) {
            return failure(expected, lineStart == lineEnd ? "an empty line" : "end of line");
        }
        return failure(expected, shown(fieldStart, fieldEnd()));
    }

    TraceFormatException failure(String expected, String found) {
        return new TraceFormatException(file, line, expected, found, null);
    }

    @Override
    public void close() throws IOException {
        in.close();
    }

    /** Makes a text fit for one line of a message. */
    static String shown(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
        return shown(bytes, 0, bytes.length);
    }

    private String shown(int start, int end) {
        return shown(buffer, start, end);
    }

    private static String shown(byte[] bytes, int start, int end) {
        StringBuilder text = new StringBuilder();
        for (int i = start; i < end && i < start + SHOWN_CHARACTERS; i++) {
            int character = bytes[i] & 0xff;
            if (character >= ' ' && character <= '~') {
                text.append((char) character);
            } else if (character == '\r') {
                text.append("\\r");
            } else if (character == '\t') {
                text.append("\\t");
            } else {
                text.append(character < 0x10 ? "\\x0" : "\\x").append(Integer.toHexString(character));
            }
        }
        return end - start > SHOWN_CHARACTERS ? text.append("…").toString() : text.toString();
    }

    private void beginField(String expected) throws TraceFormatException {
        if (position == lineEnd) {
            fieldStart = lineEnd;
            throw unexpected(expected);
        }
        if (buffer[position] != ' ') {
            throw unexpected(expected);
        }
        fieldStart = ++position;
    }

    private long digits(long max, String expected) throws TraceFormatException {
        int start = position;
        int at = start;
        long value = 0;
        while (at < lineEnd && buffer[at] != ' ') {
            int digit = buffer[at++] - '0';
            value = 10 * value + digit;
            if (digit < 0 || digit > 9 || value > max || at - start > 10) {
                throw unexpected(expected);
            }
        }
        if (at == start) {
            throw unexpected(expected);
        }
        position = at;
        return value;
    }

    private long hexDigits(String expected) throws TraceFormatException {
        int start = position;
        int at = start;
        long value = 0;
        while (at < lineEnd && buffer[at] != ' ') {
            int digit = hexDigit(buffer[at++]);
            if (digit < 0 || at - start > 16) {
                throw unexpected(expected);
            }
            value = value << 4 | digit;
        }
        if (at == start) {
            throw unexpected(expected);
        }
        position = at;
        return value;
    }

    private static int hexDigit(int character) {
        if (character >= '0' && character <= '9') {
            return character - '0';
        }
        return character >= 'a' && character <= 'f' ? character - 'a' + 10 : -1;
    }

    private int fieldEnd() {
        int end = fieldStart;
        while (end < lineEnd && buffer[end] != ' ') {
            end++;
        }
        return end;
    }

    private void setLine(int end, int next) {
        lineEnd = end;
        nextLine = next;
        position = lineStart;
        fieldStart = lineStart;
    }

    private int newline(int from) {
        for (int i = from; i < limit; i++) {
            if (buffer[i] == '\n') {
                return i;
            }
        }
        return -1;
    }

    /** Gets more bytes behind {@link #limit}, moving the line to the buffer's start; false at the stream's end. */
    private boolean fill() throws TraceFormatException {
        int kept = limit - lineStart;
        System.arraycopy(buffer, lineStart, buffer, 0, kept);
        lineStart = 0;
        nextLine = 0;
        limit = kept;
        if (limit == buffer.length) {
            buffer = Arrays.copyOf(buffer, 2 * buffer.length);
        }
        int count = read();
        limit += Math.max(0, count);
        return count > 0;
    }

    private int read() throws TraceFormatException {
        try {
            return in.read(buffer, limit, buffer.length - limit);
        } catch (GzipInput.GzipException damage) {
            throw new TraceFormatException(file, line, damage.expected(), damage.found(), damage);
        } catch (IOException trouble) {
            throw new TraceFormatException(file, line, "data that can be read", String.valueOf(trouble.getMessage()),
                    trouble);
        }
    }
}
