// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.os.file;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.virtio4j.os.FileKind;

/**
 * What a path leads to, and which one, so that two names of one file can be told from two files. Nothing is opened, and
 * no native call is made.
 *
 * @param kind what it is
 * @param key equal for two names of one file or device, as long as it exists
 */
public record FileIdentity(FileKind kind, Object key) {

    private static final String UNIX = "unix";

    /**
     * Looks a path up, links followed.
     *
     * @param file a path
     * @return what is there now
     * @throws IOException if nothing is there, or the system refuses to say
     */
    public static FileIdentity of(Path file) throws IOException {
        if (!file.getFileSystem().supportedFileAttributeViews().contains(UNIX)) {
            return elsewhere(file);
        }
        Map<String, Object> status = Files.readAttributes(file, "unix:mode,dev,ino,rdev");
        FileKind kind = FileKind.of(((Integer) value(status, "mode")).intValue());
        // Each of the nodes of a device is a file of its own, and what matters is the device.
        return new FileIdentity(kind, kind == FileKind.BLOCK_DEVICE ? List.of(kind, value(status, "rdev"))
                : List.of(value(status, "dev"), value(status, "ino")));
    }

    private static Object value(Map<String, Object> status, String name) {
        return Objects.requireNonNull(status.get(name));
    }

    /** On systems other than Unix. */
    private static FileIdentity elsewhere(Path file) throws IOException {
        BasicFileAttributes status = Files.readAttributes(file, BasicFileAttributes.class);
        FileKind kind = status.isRegularFile() ? FileKind.FILE
                : status.isDirectory() ? FileKind.DIRECTORY : FileKind.OTHER;
        return new FileIdentity(kind, Objects.requireNonNullElse(status.fileKey(), file.toRealPath()));
    }
}
