// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.virtio4j.harness.fetch.Packages;
import org.virtio4j.harness.fetch.UnpackedProgram;
import org.virtio4j.harness.options.NotFetchedException;
import org.virtio4j.harness.options.UnusableGuestException;

/** Debian's compilers for ACPI tables and device trees, which look at what we write with eyes of their own. */
final class Compilers {

    private final Path root;

    private Compilers(Path root) {
        this.root = root;
    }

    /** Fetches them if they are missing, and skips the test, saying why, if they cannot be had. */
    static Compilers fetched() {
        try {
            return new Compilers(new Packages(GuestBooter.HOME, () -> false).part("tools"));
        } catch (NotFetchedException told) {
            GuestBooter.skip(told);
            throw new IllegalStateException(told);
        }
    }

    /** Runs a program in a folder, with the libraries that were fetched with it, and returns all that it says. */
    String run(Path folder, String program, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(command(program));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        try {
            assertEquals(0, process.waitFor(), () -> program + ": " + said);
        } catch (InterruptedException unexpected) {
            throw new IllegalStateException("unexpected interrupt of this thread", unexpected);
        }
        return said;
    }

    private List<String> command(String program) throws IOException {
        try {
            return UnpackedProgram.command(root, program);
        } catch (UnusableGuestException told) {
            throw new IOException(told);
        }
    }
}
