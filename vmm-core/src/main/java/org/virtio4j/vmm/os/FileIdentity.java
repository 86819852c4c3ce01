// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vmm.os;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * What a path leads to, and which one, so that two names of one file can be told from two files. Nothing is opened, and
 * no native call is made.
 *
 * @param kind what it is
 * @param key equal for two names of one file or device, as long as it exists
 */
public record FileIdentity(Kind kind, Object key) {

    private static final String UNIX = "unix";
    private static final int TYPE_MASK = 0xf000;

    /** What the file system has under a name. */
    public enum Kind {
        /** Bytes in a file system. */
        FILE(0x8000, "a file"),
        /** A disk or a part of one. */
        BLOCK_DEVICE(0x6000, "a block device"),
        /** A folder. */
        DIRECTORY(0x4000, "a directory"),
        /** Such as a terminal. */
        CHARACTER_DEVICE(0x2000, "a character device"),
        /** A queue of bytes between processes. */
        PIPE(0x1000, "a named pipe"),
        /** A socket of this machine. */
        SOCKET(0xc000, "a socket"),
        /** Anything else. */
        OTHER(0, "something else");

        private final int type;
        private final String words;

        Kind(int type, String words) {
            this.type = type;
            this.words = words;
        }

        /**
         * For a sentence.
         *
         * @return such as {@code a directory}
         */
        public String words() {
            return words;
        }

        /** What a file with this {@code st_mode} is. */
        static Kind of(int mode) {
            for (Kind kind : values()) {
                if ((mode & TYPE_MASK) == kind.type) {
                    return kind;
                }
            }
            return OTHER;
        }
    }

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
        Kind kind = Kind.of(((Integer) value(status, "mode")).intValue());
        // Each of the nodes of a device is a file of its own, and what matters is the device.
        return new FileIdentity(kind, kind == Kind.BLOCK_DEVICE ? List.of(kind, value(status, "rdev"))
                : List.of(value(status, "dev"), value(status, "ino")));
    }

    private static Object value(Map<String, Object> status, String name) {
        return Objects.requireNonNull(status.get(name));
    }

    /** On systems other than Unix. */
    private static FileIdentity elsewhere(Path file) throws IOException {
        BasicFileAttributes status = Files.readAttributes(file, BasicFileAttributes.class);
        Kind kind = status.isRegularFile() ? Kind.FILE : status.isDirectory() ? Kind.DIRECTORY : Kind.OTHER;
        return new FileIdentity(kind, Objects.requireNonNullElse(status.fileKey(), file.toRealPath()));
    }
}
