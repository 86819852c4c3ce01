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
import java.util.List;
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

    // Linux, Documentation/arch/arm64/booting.rst and arch/riscv/boot-image-header.rst: what stands in a kernel's head.
    private static final int IMAGE_MAGIC = 56;
    private static final String ARM64_MAGIC = "ARMd";
    private static final String RISCV_MAGIC = "RSC\u0005";
    /** Linux, drivers/firmware/efi/libstub/zboot-header.S: a compressed kernel, which QEMU unpacks. */
    private static final int COMPRESSED_MAGIC = 4;
    private static final String COMPRESSED = "zimg";

    /** What the file is called, before its version. */
    private static final List<String> NAMES = List.of("vmlinuz-", "vmlinux-");

    /** The kernel of a folder into which its package was unpacked. */
    public static Kernel unpackedIn(Path root, Architecture architecture) throws UnusableGuestException {
        if (architecture == Architecture.X86_64) {
            return unpackedIn(root);
        }
        Path image = imageIn(root);
        Path modules = modulesIn(root, versionInName(image, architecture));
        if (modules == null) {
            throw new UnusableGuestException(image + ": expected its modules in " + root + ", found none");
        }
        return new Kernel(image, modules);
    }

    /** The kernel for PCs of a folder into which its package was unpacked. */
    public static Kernel unpackedIn(Path root) throws UnusableGuestException {
        return of(imageIn(root), Architecture.X86_64);
    }

    /** Newer packages have it among its modules. */
    private static Path imageIn(Path root) throws UnusableGuestException {
        Path image = first(root.resolve("boot"), "vmlinu[xz]-*");
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

    /**
     * A kernel by its file. Its modules lie in {@code lib/modules} of one of the folders that the file lies in. Only a
     * kernel for PCs says its version; the file's name or folder of the others does.
     */
    public static Kernel of(Path image, Architecture architecture) throws UnusableGuestException {
        String version = architecture == Architecture.X86_64 ? version(image)
                : versionInName(checked(image, architecture), architecture);
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

    private static Path checked(Path image, Architecture architecture) throws UnusableGuestException {
        String magic = architecture == Architecture.ARM64 ? ARM64_MAGIC : RISCV_MAGIC;
        try (InputStream in = Files.newInputStream(image)) {
            String head = new String(in.readNBytes(IMAGE_MAGIC + magic.length()), StandardCharsets.ISO_8859_1);
            if (head.startsWith(magic, IMAGE_MAGIC) || head.startsWith(COMPRESSED, COMPRESSED_MAGIC)) {
                return image;
            }
        } catch (IOException unreadable) {
            // Told as any other file that is no kernel.
        }
        throw noKernel(image, architecture);
    }

    /** What {@code uname -r} will say, as the file's name has it, or the folder with its modules where it lies. */
    private static String versionInName(Path image, Architecture architecture) throws UnusableGuestException {
        String name = String.valueOf(image.getFileName());
        for (String before : NAMES) {
            if (name.startsWith(before)) {
                return name.substring(before.length());
            }
        }
        Path folder = image.toAbsolutePath().getParent();
        if (folder != null && Files.exists(folder.resolve("modules.builtin"))) {
            return String.valueOf(folder.getFileName());
        }
        throw noKernel(image, architecture);
    }

    private static UnusableGuestException noKernel(Path image, Architecture architecture) {
        return new UnusableGuestException(image + ": expected a Linux kernel for " + architecture
                + " called vmlinuz-VERSION, found none");
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
