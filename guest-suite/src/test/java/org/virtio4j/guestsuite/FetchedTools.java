// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.virtio4j.harness.fetch.Packages;
import org.virtio4j.harness.options.NotFetchedException;

/** Compilers for device trees and ACPI tables that run on this machine: dtc, fdtoverlay and iasl, of Debian 13. */
final class FetchedTools {

    private static final Path HOME = Path.of(System.getProperty("virtio4j.home", "..")).toAbsolutePath();

    private final Path root;
    private final Path loader;

    private FetchedTools(Path root, Path loader) {
        this.root = root;
        this.loader = loader;
    }

    /** Where packages lie. */
    static Packages packages() {
        return new Packages(HOME, () -> false);
    }

    /** The tools, fetched if they are missing. If they cannot be had, the test is skipped. */
    static FetchedTools find() throws IOException {
        try {
            Path root = packages().part("tools");
            return new FetchedTools(root, loader(root));
        } catch (NotFetchedException told) {
            return Assumptions.abort("neither found nor fetched: " + told.getMessage());
        }
    }

    /** Runs a tool, which must succeed, and returns what it says on both outputs. */
    String run(String tool, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(loader.toString(), "--library-path",
                String.valueOf(loader.getParent()), root.resolve("usr/bin").resolve(tool).toString()));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        try {
            assertEquals(0, process.waitFor(), () -> command + ": " + said);
        } catch (InterruptedException unexpected) {
            throw new IllegalStateException("unexpected interrupt of this thread", unexpected);
        }
        return said;
    }

    private static Path loader(Path root) throws IOException {
        try (DirectoryStream<Path> folders = Files.newDirectoryStream(root.resolve("usr/lib"), "*-linux-gnu*")) {
            for (Path folder : folders) {
                try (DirectoryStream<Path> loaders = Files.newDirectoryStream(folder, "ld-linux*.so*")) {
                    for (Path found : loaders) {
                        return found;
                    }
                }
            }
        }
        throw new IOException(root + ": has no loader; remove the folder");
    }
}
