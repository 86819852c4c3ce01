// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness.fetch;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.virtio4j.harness.options.UnusableGuestException;

/**
 * A program of a folder into which its packages and all they need were unpacked. It is started by the folder's own
 * loader with the folder's own libraries, so that this machine's may be older.
 */
public final class UnpackedProgram {

    private UnpackedProgram() {
    }

    /**
     * How to start it.
     *
     * @param root the folder
     * @param program the name of a file in {@code usr/bin}
     * @return what stands before its arguments
     * @throws UnusableGuestException if the folder has no loader
     */
    public static List<String> command(Path root, String program) throws UnusableGuestException {
        Path loader = loader(root, program);
        return List.of(loader.toString(), "--library-path", String.valueOf(loader.getParent()), "--argv0", program,
                root.resolve("usr/bin").resolve(program).toString());
    }

    private static Path loader(Path root, String program) throws UnusableGuestException {
        try (DirectoryStream<Path> folders = Files.newDirectoryStream(root.resolve("usr/lib"), "*-linux-gnu*")) {
            for (Path folder : folders) {
                try (DirectoryStream<Path> loaders = Files.newDirectoryStream(folder, "ld-linux*.so*")) {
                    for (Path loader : loaders) {
                        return loader;
                    }
                }
            }
        } catch (IOException missing) {
            // Told as if the folder were empty.
        }
        throw new UnusableGuestException(root + ": expected " + program
                + " and its libraries, found none; remove the folder");
    }
}
