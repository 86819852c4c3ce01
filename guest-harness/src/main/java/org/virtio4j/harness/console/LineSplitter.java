// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness.console;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.Consumer;

/**
 * Splits the bytes of a guest's serial port into lines. A guest may send anything: a line that is too long is split,
 * and control characters, which could change the state of a terminal, are left out.
 */
public final class LineSplitter {

    /** Characters of the longest line. The kernel's own are shorter. */
    static final int LONGEST = 4096;

    private static final byte DELETE = 127;

    private final Consumer<String> lines;
    private final byte[] line = new byte[LONGEST];
    private int length;

    public LineSplitter(Consumer<String> lines) {
        this.lines = lines;
    }

    /** Takes bytes, and passes on the lines that end in them. */
    void take(byte[] bytes, int count) {
        for (int i = 0; i < count; i++) {
            take(bytes[i]);
        }
    }

    /** Passes on the last line if it has no end. */
    public void finish() {
        if (length > 0) {
            cut();
        }
    }

    private void take(byte octet) {
        if (octet == '\n') {
            cut();
        } else if (isText(octet)) {
            if (length == LONGEST) {
                cut();
            }
            line[length++] = octet;
        }
    }

    /** Bytes of characters that are not ASCII are negative. */
    private static boolean isText(byte octet) {
        return octet < 0 || octet == '\t' || (octet >= ' ' && octet != DELETE);
    }

    private void cut() {
        lines.accept(new String(Arrays.copyOf(line, length), StandardCharsets.UTF_8));
        length = 0;
    }
}
