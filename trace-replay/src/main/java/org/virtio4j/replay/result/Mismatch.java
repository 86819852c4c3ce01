// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.replay.result;

/**
 * A line of a trace that did not come out as recorded. Immutable.
 *
 * @param file name of the trace
 * @param line number of the line in the uncompressed text, counted from 1
 * @param text what was expected and what came, on one line
 */
public record Mismatch(String file, long line, String text) {

    @Override
    public String toString() {
        return file + ":" + line + ": " + text;
    }
}
