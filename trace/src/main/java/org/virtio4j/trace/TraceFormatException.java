// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.trace;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * A trace cannot be read on: a line that is not in the format, compressed data that is cut off or damaged, a file that
 * is not there. The message is one sentence, {@code FILE:LINE: expected …, found '…'}, fit to be shown to the user as
 * it is; where no line was reached, as with a missing file, {@code :LINE} is left out.
 */
public final class TraceFormatException extends IOException {
    private static final long serialVersionUID = 1L;

    private final String file;
    private final long line;
    private final String expected;
    private final String found;

    TraceFormatException(String file, long line, String expected, String found, @Nullable Throwable cause) {
        super((line == 0 ? file : file + ":" + line) + ": expected " + expected + ", found '" + found + "'", cause);
        this.file = file;
        this.line = line;
        this.expected = expected;
        this.found = found;
    }

    /**
     * The trace's name, as it was given to {@link TraceReader}.
     *
     * @return a path or another name
     */
    public String file() {
        return file;
    }

    /**
     * The line that could not be read, counted from 1 in the uncompressed text.
     *
     * @return the line's number, or 0 if none was reached
     */
    public long line() {
        return line;
    }

    /**
     * What the format asks for at that place.
     *
     * @return a phrase in English
     */
    public String expected() {
        return expected;
    }

    /**
     * What is there instead: a field of the line, shortened and with unprintable characters escaped, or a phrase.
     *
     * @return the text, without quotes
     */
    public String found() {
        return found;
    }
}
