// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness.image;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.virtio4j.harness.fetch.Kernel;
import org.virtio4j.harness.options.Architecture;
import org.virtio4j.harness.options.UnusableGuestException;
import org.virtio4j.harness.options.Workload;

/**
 * The guest's whole system: busybox, a file system checker, the modules of its drivers, and the script that it runs.
 * Some workloads need more: Perl with a script, programs that drive a disk, or a second kernel with its own system.
 */
public final class Initramfs {

    private static final String IOMMU = "virtio_iommu";

    /**
     * The IOMMU's driver comes before those of the endpoints, so that no endpoint has to wait for it. The transport is
     * built into Debian's kernels, and may be a module in others.
     */
    private static final List<String> DRIVERS =
            List.of("virtio_pci", IOMMU, "virtio_blk", "virtio_rng", "ext4");

    /** A file system asks for it by the name of what it does, so that no list of what modules need has it. */
    private static final String CHECKSUMS = "crc32c_generic";

    private static final List<String> CONSOLE = List.of("virtio_console");

    /** The driver for user space, and the module with which it uses any IOMMU. */
    static final List<String> VFIO = List.of("vfio_pci", "vfio_iommu_type1");

    /** The libraries of Perl, and the modules that the script uses, under the names where Debian's Perl looks. */
    private static final List<String> PERL_FILES = List.of("libc.so.6", "libm.so.6", "libcrypt.so.1",
            "perl-base/constant.pm", "perl-base/strict.pm", "perl-base/warnings.pm", "perl-base/warnings/register.pm");
    private static final String PERL = "usr/bin/perl";

    /** Where a PC's libraries are, and those of other programs that only a PC's guest has. */
    private static final String LIBRARIES = "usr/lib/x86_64-linux-gnu/";

    /** The libraries of the program that starts another kernel. It also needs Xen's, of any version. */
    private static final List<String> KEXEC_LIBRARIES = List.of("ld-linux-x86-64.so.2", "libc.so.6");
    private static final String XEN_LIBRARIES = "libxen*.so.*";

    /** Libraries of the programs that drive a disk, those that have only one name. */
    private static final List<String> BLKIO_LIBRARIES =
            List.of("ld-linux-x86-64.so.2", "libc.so.6", "libm.so.6", "libgcc_s.so.1");

    private Initramfs() {
    }

    /**
     * The archive that Linux unpacks.
     *
     * @param architecture the machine it is for
     * @param kernel the kernel it is for
     * @param tools the folder where the packages of the guest's programs are unpacked
     * @param workload what the guest is to do
     * @param console whether it has a console
     * @return its bytes, compressed by gzip
     */
    public static byte[] of(Architecture architecture, Kernel kernel, Path tools, Workload workload, boolean console)
            throws UnusableGuestException {
        KernelModules all = modules(kernel);
        CpioArchive archive = system(tools);
        if (architecture != Architecture.S390X) {
            archive.program("bin/e2fsck", read(tools.resolve("usr/sbin/e2fsck.static")));
        }
        addModules(archive, "modules/drivers", drivers(all));
        if (console) {
            addModules(archive, "modules/console", all.inOrder(CONSOLE));
        }
        if (workload.givesDevicesAway()) {
            addModules(archive, "modules/vfio", all.inOrder(VFIO));
        }
        if (workload == Workload.VFIO) {
            addPerl(archive, architecture, tools);
        }
        return gzip(archive.finish());
    }

    /**
     * An archive with programs that drive a disk from user space, by VFIO.
     *
     * @param kernel the kernel it is for
     * @param tools the folder where the packages of the guest's programs are unpacked
     * @param blkio the folder where these programs and their libraries are unpacked
     * @return its bytes, compressed by gzip
     */
    public static byte[] drivingDisk(Kernel kernel, Path tools, Path blkio) throws UnusableGuestException {
        KernelModules all = modules(kernel);
        CpioArchive archive = system(tools);
        addModules(archive, "modules/drivers", drivers(all));
        addModules(archive, "modules/vfio", all.inOrder(VFIO));
        List.of("usr", "usr/bin", "usr/lib", LIBRARIES.substring(0, LIBRARIES.length() - 1), LIBRARIES + "qemu")
                .forEach(archive::directory);
        archive.link("lib64", LIBRARIES).link("lib", "usr/lib").directory("tmp");
        for (String program : List.of("usr/bin/qemu-img", "usr/bin/qemu-io", LIBRARIES + "qemu/block-blkio.so")) {
            archive.program(program, read(blkio.resolve(program)));
        }
        for (String library : BLKIO_LIBRARIES) {
            archive.program(LIBRARIES + library, read(blkio.resolve(LIBRARIES).resolve(library)));
        }
        addLibraries(archive, blkio, "*.so.*");
        return gzip(archive.finish());
    }

    /**
     * An archive with another kernel in it, which has an archive of its own. Each has the IOMMU's driver if its kernel
     * has one.
     *
     * @param kernel the kernel it is for
     * @param next the kernel that is to be started by that one
     * @param tools the folder where the packages of the guest's programs are unpacked
     * @param kexec the folder where the program and its libraries are unpacked that starts a kernel
     * @return its bytes, compressed by gzip
     */
    public static byte[] starting(Kernel kernel, Kernel next, Path tools, Path kexec) throws UnusableGuestException {
        CpioArchive archive = system(tools);
        addModules(archive, "modules/drivers", drivers(modules(kernel)));
        addKexec(archive, kexec);
        CpioArchive nextArchive = system(tools);
        addModules(nextArchive, "modules/drivers", drivers(modules(next)));
        archive.directory("next").file("next/vmlinuz", read(next.image()))
                .file("next/initramfs.gz", gzip(nextArchive.finish()));
        return gzip(archive.finish());
    }

    /** What every archive has. */
    private static CpioArchive system(Path tools) throws UnusableGuestException {
        CpioArchive archive = new CpioArchive();
        List.of("bin", "dev", "modules", "mnt", "proc", "sys").forEach(archive::directory);
        archive.characterDevice("dev/console", 5, 1).characterDevice("dev/null", 1, 3);
        archive.program("bin/busybox", read(busybox(tools))).link("bin/sh", "busybox");
        return archive.program("init", resource("init"));
    }

    /** Its folder differs between releases of Debian. */
    static Path busybox(Path tools) {
        Path moved = tools.resolve("usr/bin/busybox");
        return Files.exists(moved) ? moved : tools.resolve("bin/busybox");
    }

    static KernelModules modules(Kernel kernel) throws UnusableGuestException {
        return KernelModules.in(kernel.modules());
    }

    private static Map<String, byte[]> drivers(KernelModules all) throws UnusableGuestException {
        Stream<String> drivers = Stream.concat(Stream.of(CHECKSUMS), DRIVERS.stream());
        Set<String> dispensable = Set.of(CHECKSUMS, IOMMU);
        return all.inOrder(drivers.filter(driver -> !dispensable.contains(driver) || all.has(driver)).toList());
    }

    private static void addKexec(CpioArchive archive, Path kexec) throws UnusableGuestException {
        List.of("usr", "usr/lib", LIBRARIES.substring(0, LIBRARIES.length() - 1)).forEach(archive::directory);
        archive.link("lib64", LIBRARIES).link("lib", "usr/lib");
        archive.program("bin/kexec", read(kexec.resolve("usr/sbin/kexec")));
        for (String library : KEXEC_LIBRARIES) {
            archive.program(LIBRARIES + library, read(kexec.resolve(LIBRARIES).resolve(library)));
        }
        addLibraries(archive, kexec, XEN_LIBRARIES);
    }

    /** A library has two names. Programs use the shorter one, which is a link. */
    private static void addLibraries(CpioArchive archive, Path root, String pattern) throws UnusableGuestException {
        try (DirectoryStream<Path> libraries = Files.newDirectoryStream(root.resolve(LIBRARIES), pattern)) {
            for (Path library : libraries) {
                if (Files.isSymbolicLink(library)) {
                    archive.program(LIBRARIES + library.getFileName(), read(library));
                }
            }
        } catch (IOException unreadable) {
            throw new UnusableGuestException(root + ": expected programs and their libraries, found: "
                    + unreadable.getMessage());
        }
    }

    private static void addPerl(CpioArchive archive, Architecture architecture, Path tools)
            throws UnusableGuestException {
        String libraries = "usr/lib/" + architecture.libraries() + "/";
        List.of("usr", "usr/bin", "usr/lib", "usr/lib/" + architecture.libraries(), libraries + "perl-base",
                libraries + "perl-base/warnings").forEach(archive::directory);
        archive.program(PERL, read(tools.resolve(PERL)));
        for (String file : PERL_FILES) {
            archive.program(libraries + file, read(tools.resolve(libraries).resolve(file)));
        }
        String loader = architecture.loader();
        archive.program(libraries + loader, read(tools.resolve(libraries).resolve(loader)));
        archive.link("usr/lib/" + loader, architecture.libraries() + "/" + loader);
        archive.link("bin/perl", "/usr/bin/perl").link("lib64", "usr/lib").link("lib", "usr/lib");
        archive.file("vfio.pl", resource("vfio.pl"));
    }

    /**
     * The modules, and a list of their names, one a line, in the order of loading. A module that is on two lists is
     * added once.
     */
    static void addModules(CpioArchive archive, String list, Map<String, byte[]> modules) {
        modules.forEach((name, module) -> {
            String path = "modules/" + name;
            if (!archive.has(path)) {
                archive.file(path, module);
            }
        });
        String lines = modules.isEmpty() ? "" : String.join("\n", modules.keySet()) + "\n";
        archive.file(list, lines.getBytes(StandardCharsets.UTF_8));
    }

    static byte[] resource(String name) {
        try (InputStream script = Initramfs.class.getResourceAsStream(name)) {
            if (script == null) {
                throw new IllegalStateException("this build has no " + name);
            }
            return script.readAllBytes();
        } catch (IOException unexpected) {
            throw new UncheckedIOException(unexpected);
        }
    }

    static byte[] read(Path file) throws UnusableGuestException {
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
