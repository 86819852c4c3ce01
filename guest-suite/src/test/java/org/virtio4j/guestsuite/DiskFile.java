// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Random;

/** The file that is a disk, as the host sees it: what a guest says of its disk is held against this. */
final class DiskFile {

    static final long BYTES = 128L << 20;

    private static final int MEBIBYTE = 1 << 20;

    private DiskFile() {
    }

    /** Makes one whose first MiBs are at random. */
    static void create(Path file, int randomMebibytes, long seed) throws IOException {
        byte[] random = new byte[randomMebibytes * MEBIBYTE];
        new Random(seed).nextBytes(random);
        Files.write(file, random);
        try (RandomAccessFile disk = new RandomAccessFile(file.toFile(), "rw")) {
            disk.setLength(BYTES);
        }
    }

    /** The MD5 of some MiBs of it, in hexadecimal. */
    static String md5(Path file, int firstMebibyte, int mebibytes) throws IOException {
        byte[] part = new byte[mebibytes * MEBIBYTE];
        try (RandomAccessFile disk = new RandomAccessFile(file.toFile(), "r")) {
            disk.seek((long) firstMebibyte * MEBIBYTE);
            disk.readFully(part);
        }
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("MD5").digest(part));
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException("every Java has MD5", impossible);
        }
    }
}
