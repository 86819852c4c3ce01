// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving.config;

import java.nio.file.Path;
import org.virtio4j.command.CommandFailure;

/**
 * Where something stands in a configuration.
 *
 * @param file   as the user named it
 * @param line   from 1
 * @param column from 1, in characters; 0 in a file of the former format, whose messages name the line only
 */
record Place(Path file, int line, int column) implements Comparable<Place> {

    /** A failure that says where. */
    CommandFailure failure(String message) {
        return new CommandFailure(message(message));
    }

    /** A message that says where. */
    String message(String message) {
        return file + ":" + line + (column == 0 ? "" : ":" + column) + ": " + ConfigText.visible(message);
    }

    @Override
    public int compareTo(Place other) {
        return line == other.line ? Integer.compare(column, other.column) : Integer.compare(line, other.line);
    }
}
