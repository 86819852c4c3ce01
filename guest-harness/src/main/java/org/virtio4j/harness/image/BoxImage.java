// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness.image;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.virtio4j.harness.fetch.Kernel;
import org.virtio4j.harness.options.UnusableGuestException;

/** The whole system of a box: busybox, the modules of VFIO, Java, and a program with its class path. */
public final class BoxImage {

    private static final List<String> FOLDERS = List.of("app", "bin", "dev", "etc", "java", "lib64", "modules", "proc",
            "sys", "tmp");
    private static final String USERS = "root:x:0:0::/:/bin/sh\nuser:x:1000:1000::/tmp:/bin/sh\n";
    private static final String GROUPS = "root:x:0:\nuser:x:1000:\n";

    private BoxImage() {
    }

    /**
     * Writes the archive that Linux unpacks. It is not compressed: an emulated processor unpacks slowly.
     *
     * @param archive the file to be written
     * @param kernel the kernel it is for
     * @param tools the folder where the packages of the guest's programs are unpacked
     * @param classPath jars, and folders with classes
     * @param runtime where Java may be linked to; does not exist yet
     * @throws UnusableGuestException if a module or program is missing
     * @throws IOException if this machine's disk is full, or a file cannot be read
     */
    public static void write(Path archive, Kernel kernel, Path tools, List<Path> classPath, Path runtime)
            throws UnusableGuestException, IOException {
        try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(archive), 1 << 20)) {
            CpioArchive files = new CpioArchive(out);
            FOLDERS.forEach(files::directory);
            files.characterDevice("dev/console", 5, 1).characterDevice("dev/null", 1, 3);
            files.program("bin/busybox", Initramfs.read(Initramfs.busybox(tools))).link("bin/sh", "busybox");
            files.program("init", Initramfs.resource("box-init"));
            files.file("etc/passwd", bytes(USERS)).file("etc/group", bytes(GROUPS));
            Initramfs.addModules(files, "modules/vfio", Initramfs.modules(kernel).inOrder(Initramfs.VFIO));
            addJava(files, BoxRuntime.linked(runtime));
            addClasses(files, classPath);
            files.end();
        }
    }

    private static void addJava(CpioArchive archive, Path image) throws IOException {
        for (Map.Entry<String, Path> file : BoxRuntime.files(image).entrySet()) {
            add(archive, "java/" + file.getKey(), file.getValue());
        }
        for (Map.Entry<String, Path> library : BoxRuntime.libraries().entrySet()) {
            add(archive, "lib64/" + library.getKey(), library.getValue());
        }
    }

    /** Each entry of the class path by its number, and the class path in a file. */
    private static void addClasses(CpioArchive archive, List<Path> classPath) throws IOException {
        List<String> path = new ArrayList<>();
        for (Path entry : classPath) {
            String name = "app/" + path.size();
            path.add("/" + name);
            if (Files.isRegularFile(entry)) {
                add(archive, name, entry);
                continue;
            }
            try (Stream<Path> classes = Files.walk(entry)) {
                for (Path file : classes.filter(Files::isRegularFile).sorted().toList()) {
                    add(archive, name + "/" + entry.relativize(file), file);
                }
            }
        }
        archive.file("app/path", bytes(String.join(":", path)));
    }

    /** Adds a file that anybody may run, and the folders that it lies in. */
    private static void add(CpioArchive archive, String path, Path file) throws IOException {
        for (int slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
            if (!archive.has(path.substring(0, slash))) {
                archive.directory(path.substring(0, slash));
            }
        }
        archive.program(path, Files.readAllBytes(file));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
