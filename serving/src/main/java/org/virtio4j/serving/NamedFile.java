// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Reads and writes files as {@link Files} does, but each exception names the file. */
final class NamedFile {

    private NamedFile() {
    }

    static void write(Path file, byte[] bytes) throws IOException {
        try {
            Files.write(file, bytes);
        } catch (IOException trouble) {
            throw named(file, trouble);
        }
    }

    static byte[] read(Path file) throws IOException {
        try {
            return Files.readAllBytes(file);
        } catch (IOException trouble) {
            throw named(file, trouble);
        }
    }

    private static IOException named(Path file, IOException trouble) {
        return trouble instanceof FileSystemException ? trouble
                : new IOException(file + ": " + trouble.getMessage(), trouble);
    }
}
