// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness.image;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * A Java for a guest of the same kind as this machine: the one that runs this program, with few modules if it can link
 * them, and with the libraries of this machine that it needs.
 */
final class BoxRuntime {

    private static final String MODULES = "java.base,jdk.unsupported";

    /** What a run-time image needs in order to start. */
    private static final List<String> PARTS = List.of("bin/java", "conf", "lib", "release");

    /** Large and not needed: sources, signatures for compilers, archives of classes for other layouts of heaps. */
    private static final List<String> LEFT_OUT =
            List.of("src.zip", "ct.sym", "classes_nocoops.jsa", "classes_coh.jsa", "classes_nocoops_coh.jsa");

    private BoxRuntime() {
    }

    /**
     * Links a small image; takes the whole one where this Java has no jlink, or was changed since it was built.
     *
     * @param folder for the image, which does not exist yet
     */
    static Path linked(Path folder) throws IOException {
        Path home = Path.of(System.getProperty("java.home"));
        Path jlink = home.resolve("bin/jlink");
        if (Files.isExecutable(jlink)) {
            Process link = new ProcessBuilder(jlink.toString(), "--add-modules", MODULES, "--output", folder.toString(),
                    "--strip-debug", "--no-header-files", "--no-man-pages", "--generate-cds-archive")
                    .redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
            try {
                if (link.waitFor() == 0) {
                    return folder;
                }
            } catch (InterruptedException unexpected) {
                link.destroyForcibly();
                throw new IllegalStateException("unexpected interrupt of this thread", unexpected);
            }
        }
        return home;
    }

    /** The files of an image, by their path in it, in order. */
    static Map<String, Path> files(Path image) throws IOException {
        Map<String, Path> files = new LinkedHashMap<>();
        for (String part : PARTS) {
            try (Stream<Path> walk = Files.walk(image.resolve(part), FileVisitOption.FOLLOW_LINKS)) {
                walk.filter(file -> Files.isRegularFile(file) && !LEFT_OUT.contains(String.valueOf(file.getFileName())))
                        .sorted().forEach(file -> files.put(image.relativize(file).toString(), file));
            }
        }
        return files;
    }

    /** The libraries that this process has loaded and that are not Java's own, by each name that they have. */
    static Map<String, Path> libraries() throws IOException {
        Path home = Path.of(System.getProperty("java.home")).toRealPath();
        Map<String, Path> libraries = new LinkedHashMap<>();
        for (String line : Files.readAllLines(Path.of("/proc/self/maps"))) {
            String path = line.substring(Math.max(0, line.indexOf('/')));
            if (path.startsWith("/") && path.contains(".so") && path.contains("/lib") && !path.startsWith(home + "/")) {
                Path file = Path.of(path);
                namesOf(file).forEach(name -> libraries.put(name, file));
            }
        }
        return libraries;
    }

    /** Programs know a library by the name of a link to it, mostly. */
    private static Set<String> namesOf(Path library) throws IOException {
        Set<String> names = new TreeSet<>(List.of(String.valueOf(library.getFileName())));
        Path folder = library.getParent();
        if (folder == null || !Files.exists(library)) {
            return Set.of();
        }
        List<Path> links = new ArrayList<>();
        try (DirectoryStream<Path> all = Files.newDirectoryStream(folder, "*.so*")) {
            all.forEach(links::add);
        }
        for (Path link : links) {
            if (Files.isSymbolicLink(link) && Files.exists(link) && link.toRealPath().equals(library.toRealPath())) {
                names.add(String.valueOf(link.getFileName()));
            }
        }
        return names;
    }
}
