// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness.fetch;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import org.jspecify.annotations.Nullable;
import org.virtio4j.harness.options.Architecture;
import org.virtio4j.harness.options.UnusableGuestException;

/**
 * A Linux kernel as its package lays it out.
 *
 * @param image the file to boot
 * @param modules the folder of the modules that fit
 */
public record Kernel(Path image, Path modules) {

    // Linux, Documentation/arch/x86/boot.rst: offsets in a kernel for PCs.
    private static final int MAGIC = 0x202;
    private static final int VERSION_POINTER = 0x20e;
    private static final int VERSION_BASE = 0x200;
    private static final int HEAD = 0x10000;

    private static final String IMAGE = "vmlinuz-";

    /**
     * The kernel of a folder into which its package was unpacked. Only one for PCs says its version; the file's name of
     * the others does.
     */
    public static Kernel unpackedIn(Path root, Architecture architecture) throws UnusableGuestException {
        if (architecture == Architecture.X86_64) {
            return unpackedIn(root);
        }
        Path image = imageIn(root);
        String version = String.valueOf(image.getFileName()).substring(IMAGE.length());
        Path modules = modulesIn(root, version);
        if (modules == null) {
            throw new UnusableGuestException(image + ": expected its modules in " + root + ", found none");
        }
        return new Kernel(image, modules);
    }

    /** The kernel for PCs of a folder into which its package was unpacked. */
    public static Kernel unpackedIn(Path root) throws UnusableGuestException {
        return of(imageIn(root));
    }

    /** Newer packages have it among its modules. */
    private static Path imageIn(Path root) throws UnusableGuestException {
        Path image = first(root.resolve("boot"), IMAGE + "*");
        if (image == null) {
            Path modules = first(root.resolve("usr/lib/modules"), "*");
            image = modules == null ? null : first(modules, "vmlinuz");
        }
        if (image == null) {
            throw new UnusableGuestException(root + ": expected a kernel in boot/ or usr/lib/modules/VERSION/,"
                    + " found none; remove the folder");
        }
        return image;
    }

    private static @Nullable Path first(Path folder, String pattern) {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, pattern)) {
            Iterator<Path> file = files.iterator();
            return file.hasNext() ? file.next() : null;
        } catch (IOException missing) {
            return null;
        }
    }

    /** A kernel by its file. Its modules lie in {@code lib/modules} of one of the folders that the file lies in. */
    public static Kernel of(Path image) throws UnusableGuestException {
        String version = version(image);
        Path folder = image.toAbsolutePath().getParent();
        while (folder != null) {
            Path modules = modulesIn(folder, version);
            if (modules != null) {
                return new Kernel(image, modules);
            }
            folder = folder.getParent();
        }
        throw new UnusableGuestException(image + ": expected its modules in lib/modules/" + version
                + " of a folder above, found none");
    }

    private static @Nullable Path modulesIn(Path folder, String version) {
        for (String place : new String[] {"usr/lib/modules", "lib/modules"}) {
            Path modules = folder.resolve(place).resolve(version);
            if (Files.isDirectory(modules)) {
                return modules;
            }
        }
        return null;
    }

    /** What {@code uname -r} will say, as the kernel itself has it. */
    private static String version(Path image) throws UnusableGuestException {
        try (InputStream in = Files.newInputStream(image)) {
            ByteBuffer head = ByteBuffer.wrap(in.readNBytes(HEAD)).order(ByteOrder.LITTLE_ENDIAN);
            if (head.limit() == HEAD && StandardCharsets.US_ASCII.decode(head.slice(MAGIC, 4)).toString()
                    .equals("HdrS")) {
                int at = VERSION_BASE + Short.toUnsignedInt(head.getShort(VERSION_POINTER));
                String text = StandardCharsets.US_ASCII.decode(head.slice(at, Math.min(100, HEAD - at))).toString();
                return text.split("[ \0]", 2)[0];
            }
        } catch (IOException | IndexOutOfBoundsException unreadable) {
            // Told as any other file that is no kernel.
        }
        throw new UnusableGuestException(image + ": expected a Linux kernel for x86-64 (bzImage), found none");
    }
}
