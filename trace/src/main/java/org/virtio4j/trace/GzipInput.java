// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.trace;

import java.io.IOException;
import java.io.InputStream;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * Uncompresses gzip (RFC 1952), one or several members. The JDK's own stream takes bytes that follow the last member
 * for the end of the file; here everything up to the end must be gzip.
 */
final class GzipInput extends InputStream {
    private static final int FLAG_HEADER_CHECKSUM = 2;
    private static final int FLAG_EXTRA = 4;
    private static final int FLAG_NAME = 8;
    private static final int FLAG_COMMENT = 16;
    private static final int RESERVED_FLAGS = 0xe0;

    private final InputStream in;
    private final Inflater inflater = new Inflater(true);
    private final CRC32 checksum = new CRC32();
    private final byte[] input = new byte[1 << 16];
    private int position;
    private int limit;
    private boolean inMember;
    private boolean beyondFirstMember;

    GzipInput(InputStream in) {
        this.in = in;
    }

    /** Compressed data that is cut off or damaged: what should be there and what is. */
    static final class GzipException extends IOException {
        private static final long serialVersionUID = 1L;

        private final String expected;
        private final String found;

        GzipException(String expected, String found) {
            super("expected " + expected + ", found " + found);
            this.expected = expected;
            this.found = found;
        }

        String expected() {
            return expected;
        }

        String found() {
            return found;
        }
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
        if (length == 0) {
            return 0;
        }
        while (inMember || startMember()) {
            int count = inflate(target, offset, length);
            if (count > 0) {
                checksum.update(target, offset, count);
                return count;
            }
            if (inflater.finished()) {
                endMember();
            } else if (inflater.needsInput()) {
                feed();
            } else {
                throw new GzipException("valid gzip data", "a preset dictionary");
            }
        }
        return -1;
    }

    @Override
    public void close() throws IOException {
        inflater.end();
        in.close();
    }

    private int inflate(byte[] target, int offset, int length) throws GzipException {
        try {
            return inflater.inflate(target, offset, length);
        } catch (DataFormatException damage) {
            String message = damage.getMessage();
            throw new GzipException("valid gzip data", message == null ? "damaged data" : message);
        }
    }

    private void feed() throws IOException {
        if (!fill()) {
            throw cutOff();
        }
        inflater.setInput(input, 0, limit);
        position = limit;
    }

    private boolean startMember() throws IOException {
        if (position == limit && !fill()) {
            return false;
        }
        checksum.reset();
        int magic = next() << 8 | next();
        if (magic != 0x1f8b) {
            throw new GzipException(beyondFirstMember ? "the end of the file or another gzip member" : "gzip data",
                    "bytes " + hex(magic, 4));
        }
        int method = next();
        if (method != 8) {
            throw new GzipException("gzip compression method 8", Integer.toString(method));
        }
        skipHeader();
        checksum.reset();
        inflater.reset();
        inflater.setInput(input, position, limit - position);
        position = limit;
        inMember = true;
        return true;
    }

    private void skipHeader() throws IOException {
        int flags = next();
        if ((flags & RESERVED_FLAGS) != 0) {
            throw new GzipException("gzip header flags below 32", Integer.toString(flags));
        }
        skip(6);
        if ((flags & FLAG_EXTRA) != 0) {
            skip(next() | next() << 8);
        }
        if ((flags & FLAG_NAME) != 0) {
            skipText();
        }
        if ((flags & FLAG_COMMENT) != 0) {
            skipText();
        }
        if ((flags & FLAG_HEADER_CHECKSUM) != 0) {
            long computed = checksum.getValue() & 0xffff;
            requireEqual("gzip header checksum", computed, next() | next() << 8, 4);
        }
    }

    private void endMember() throws IOException {
        position = limit - inflater.getRemaining();
        inMember = false;
        beyondFirstMember = true;
        requireEqual("gzip checksum", checksum.getValue(), nextWord(), 8);
        requireEqual("gzip length", inflater.getBytesWritten() & 0xffff_ffffL, nextWord(), 8);
    }

    private static void requireEqual(String what, long computed, long stored, int digits) throws GzipException {
        if (computed != stored) {
            throw new GzipException(what + " " + hex(computed, digits), hex(stored, digits));
        }
    }

    private static String hex(long value, int digits) {
        String text = Long.toHexString(value);
        return "0".repeat(Math.max(0, digits - text.length())) + text;
    }

    private long nextWord() throws IOException {
        long word = 0;
        for (int shift = 0; shift < 32; shift += 8) {
            word |= (long) next() << shift;
        }
        return word;
    }

    private void skip(int count) throws IOException {
        for (int i = 0; i < count; i++) {
            next();
        }
    }

    private void skipText() throws IOException {
        int character;
        do {
            character = next();
        } while (character != 0);
    }

    private int next() throws IOException {
        if (position == limit && !fill()) {
            throw cutOff();
        }
        int value = input[position++] & 0xff;
        checksum.update(value);
        return value;
    }

    private boolean fill() throws IOException {
        int count = in.read(input, 0, input.length);
        position = 0;
        limit = Math.max(0, count);
        return count > 0;
    }

    private static GzipException cutOff() {
        return new GzipException("more gzip data", "end of file");
    }
}
