// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness.image;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/**
 * Writes an archive of files in the form that Linux unpacks into its first file system: cpio, "newc" (Linux,
 * Documentation/driver-api/early-userspace/buffer-format.rst). An entry is a header of 110 characters, its name with a
 * NUL, and its bytes; name and bytes are each filled up to a multiple of 4. All files are root's and have no date, so
 * that the same files give the same archive.
 */
final class CpioArchive {

    private static final int DIRECTORY = 0040000;
    private static final int CHARACTER_DEVICE = 0020000;
    private static final int FILE = 0100000;
    private static final int LINK = 0120000;
    private static final int ALIGNMENT = 4;

    private final ByteArrayOutputStream archive = new ByteArrayOutputStream();
    private int inode;

    /** Adds a folder that anybody may enter; those it lies in must have been added. */
    CpioArchive directory(String path) {
        return entry(path, DIRECTORY | 0755, 0, 0, new byte[0]);
    }

    /** Adds a file that anybody may read. */
    CpioArchive file(String path, byte[] content) {
        return entry(path, FILE | 0644, 0, 0, content);
    }

    /** Adds a file that anybody may run. */
    CpioArchive program(String path, byte[] content) {
        return entry(path, FILE | 0755, 0, 0, content);
    }

    CpioArchive link(String path, String target) {
        return entry(path, LINK | 0777, 0, 0, target.getBytes(StandardCharsets.UTF_8));
    }

    CpioArchive characterDevice(String path, int major, int minor) {
        return entry(path, CHARACTER_DEVICE | 0600, major, minor, new byte[0]);
    }

    /** Ends the archive and returns its bytes. */
    byte[] finish() {
        entry("TRAILER!!!", 0, 0, 0, new byte[0]);
        return archive.toByteArray();
    }

    private CpioArchive entry(String path, int mode, int major, int minor, byte[] content) {
        byte[] name = (path + '\0').getBytes(StandardCharsets.UTF_8);
        inode++;
        archive.writeBytes("070701".getBytes(StandardCharsets.US_ASCII));
        numbers(inode, mode, 0, 0, 1, 0, content.length); // user, group, links and date before the length
        numbers(0, 0, major, minor, name.length, 0); // the device it lies on before its own, the checksum last
        archive.writeBytes(name);
        align();
        archive.writeBytes(content);
        align();
        return this;
    }

    private void numbers(int... values) {
        for (int value : values) {
            archive.writeBytes(String.format(Locale.ROOT, "%08x", value).getBytes(StandardCharsets.US_ASCII));
        }
    }

    private void align() {
        while (archive.size() % ALIGNMENT != 0) {
            archive.write(0);
        }
    }
}
