// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher.guest;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPOutputStream;

/**
 * The guest's whole system: busybox, a file system checker, its drivers' modules, and the script that it runs. For the
 * workload that needs a program of its own there are Perl and a script too.
 */
final class Initramfs {

    /**
     * The IOMMU's driver first: an endpoint whose driver finds it without an IOMMU's driver waits, but this way nothing
     * needs to wait. The transport is built into Debian's kernels, and may be a module in others.
     */
    private static final List<String> DRIVERS =
            List.of("virtio_pci", "virtio_iommu", "virtio_blk", "virtio_rng", "ext4");

    /** A driver for programs, and what lets it use any IOMMU. */
    private static final List<String> VFIO = List.of("vfio_pci", "vfio_iommu_type1");

    /** What Perl is linked to, and what the script uses. Debian's Perl looks for its own under these names. */
    private static final String LIBRARIES = "usr/lib/x86_64-linux-gnu/";
    private static final List<String> PERL_FILES = List.of("usr/bin/perl",
            LIBRARIES + "ld-linux-x86-64.so.2", LIBRARIES + "libc.so.6", LIBRARIES + "libm.so.6",
            LIBRARIES + "libcrypt.so.1", LIBRARIES + "perl-base/constant.pm", LIBRARIES + "perl-base/strict.pm",
            LIBRARIES + "perl-base/warnings.pm", LIBRARIES + "perl-base/warnings/register.pm");

    private Initramfs() {
    }

    /**
     * The archive that Linux unpacks.
     *
     * @param kernel the kernel it is for
     * @param tools the folder where the packages of the guest's programs are unpacked
     * @param workload what the guest is to do
     * @return its bytes, compressed by gzip
     */
    static byte[] of(Kernel kernel, Path tools, Workload workload) throws UnusableGuestException {
        Path busybox = tools.resolve("usr/bin/busybox");
        KernelModules all = KernelModules.in(kernel.modules(), new XzProgram(busybox));
        CpioArchive archive = new CpioArchive();
        List.of("bin", "dev", "modules", "mnt", "proc", "sys").forEach(archive::directory);
        archive.characterDevice("dev/console", 5, 1).characterDevice("dev/null", 1, 3);
        archive.program("bin/busybox", read(busybox)).link("bin/sh", "busybox");
        archive.program("bin/e2fsck", read(tools.resolve("usr/sbin/e2fsck.static")));
        addModules(archive, "modules/drivers", all.inOrder(DRIVERS));
        if (workload == Workload.VFIO) {
            addModules(archive, "modules/vfio", all.inOrder(VFIO));
            addPerl(archive, tools);
        }
        return gzip(archive.program("init", resource("init")).finish());
    }

    private static void addPerl(CpioArchive archive, Path tools) throws UnusableGuestException {
        List.of("usr", "usr/bin", "usr/lib", "usr/lib/x86_64-linux-gnu", LIBRARIES + "perl-base",
                LIBRARIES + "perl-base/warnings").forEach(archive::directory);
        for (String file : PERL_FILES) {
            archive.program(file, read(tools.resolve(file)));
        }
        archive.link("bin/perl", "/usr/bin/perl").link("lib64", LIBRARIES).link("lib", "usr/lib");
        archive.file("vfio.pl", resource("vfio.pl"));
    }

    /** The modules, and a list of their names, one a line, in the order of loading. */
    private static void addModules(CpioArchive archive, String list, Map<String, byte[]> modules) {
        modules.forEach((name, module) -> archive.file("modules/" + name, module));
        String lines = modules.isEmpty() ? "" : String.join("\n", modules.keySet()) + "\n";
        archive.file(list, lines.getBytes(StandardCharsets.UTF_8));
    }

    private static byte[] resource(String name) {
        try (InputStream script = Initramfs.class.getResourceAsStream(name)) {
            if (script == null) {
                throw new IllegalStateException("this build has no " + name);
            }
            return script.readAllBytes();
        } catch (IOException unexpected) {
            throw new UncheckedIOException(unexpected);
        }
    }

    private static byte[] read(Path file) throws UnusableGuestException {
        try {
            return Files.readAllBytes(file);
        } catch (IOException unreadable) {
            throw new UnusableGuestException(file + ": expected a program for the guest, found: "
                    + unreadable.getMessage());
        }
    }

    private static byte[] gzip(byte[] bytes) {
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(packed)) {
            gzip.write(bytes);
        } catch (IOException unexpected) {
            throw new UncheckedIOException(unexpected);
        }
        return packed.toByteArray();
    }
}
