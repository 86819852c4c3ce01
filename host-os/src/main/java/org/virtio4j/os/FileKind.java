// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.os;

/** What the file system has under a name, or a descriptor is open on. */
public enum FileKind {
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

    private static final int TYPE_MASK = 0xf000;

    private final int type;
    private final String words;

    FileKind(int type, String words) {
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

    /**
     * What a file with this mode is.
     *
     * @param mode {@code st_mode}
     * @return one of the kinds
     */
    public static FileKind of(int mode) {
        for (FileKind kind : values()) {
            if ((mode & TYPE_MASK) == kind.type) {
                return kind;
            }
        }
        return OTHER;
    }
}
