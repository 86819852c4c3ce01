// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness.image;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;
import org.apache.commons.compress.archivers.cpio.CpioArchiveEntry;
import org.apache.commons.compress.archivers.cpio.CpioArchiveOutputStream;
import org.apache.commons.compress.archivers.cpio.CpioConstants;

/**
 * Writes an archive of files in the form that Linux unpacks into its first file system: cpio, "newc" (Linux,
 * Documentation/driver-api/early-userspace/buffer-format.rst). All files are root's and have no date, so that the same
 * files give the same archive.
 */
final class CpioArchive {

    /** The archive is filled up to a multiple of this; Linux needs no more. */
    private static final int ALIGNMENT = 4;

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final CpioArchiveOutputStream archive;
    private final Set<String> paths = new HashSet<>();

    /** An archive in memory. */
    CpioArchive() {
        archive = archive(bytes);
    }

    /** An archive that goes elsewhere, because it is large. */
    CpioArchive(OutputStream out) {
        archive = archive(out);
    }

    private static CpioArchiveOutputStream archive(OutputStream out) {
        return new CpioArchiveOutputStream(out, CpioConstants.FORMAT_NEW, ALIGNMENT, StandardCharsets.UTF_8.name());
    }

    /** Adds a folder that anybody may enter; those it lies in must have been added. */
    CpioArchive directory(String path) {
        return entry(path, CpioConstants.C_ISDIR | 0755, 0, 0, new byte[0]);
    }

    /** Adds a file that anybody may read. */
    CpioArchive file(String path, byte[] content) {
        return entry(path, CpioConstants.C_ISREG | 0644, 0, 0, content);
    }

    /** Adds a file that anybody may run. */
    CpioArchive program(String path, byte[] content) {
        return entry(path, CpioConstants.C_ISREG | 0755, 0, 0, content);
    }

    CpioArchive link(String path, String target) {
        return entry(path, CpioConstants.C_ISLNK | 0777, 0, 0, target.getBytes(StandardCharsets.UTF_8));
    }

    CpioArchive characterDevice(String path, int major, int minor) {
        return entry(path, CpioConstants.C_ISCHR | 0600, major, minor, new byte[0]);
    }

    /** Whether something was added under this path. */
    boolean has(String path) {
        return paths.contains(path);
    }

    /** Ends an archive in memory and returns its bytes. */
    byte[] finish() {
        end();
        return bytes.toByteArray();
    }

    /** Ends the archive; where it goes is still to be closed. */
    void end() {
        try {
            archive.finish();
        } catch (IOException unexpected) {
            throw new UncheckedIOException(unexpected);
        }
    }

    private CpioArchive entry(String path, int mode, int major, int minor, byte[] content) {
        CpioArchiveEntry entry = new CpioArchiveEntry(CpioConstants.FORMAT_NEW, path, content.length);
        entry.setMode(mode);
        entry.setNumberOfLinks(1);
        entry.setRemoteDeviceMaj(major);
        entry.setRemoteDeviceMin(minor);
        try {
            archive.putArchiveEntry(entry);
            archive.write(content);
            archive.closeArchiveEntry();
        } catch (IOException unexpected) {
            throw new UncheckedIOException(unexpected);
        }
        paths.add(path);
        return this;
    }
}
