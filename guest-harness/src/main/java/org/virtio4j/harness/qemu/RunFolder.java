// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness.qemu;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** A folder for the files of one run. Nobody else can look into it, and it disappears with the run. */
public final class RunFolder implements AutoCloseable {

    /** Name of the file that is the guest's disk. */
    public static final String DISK = "disk";
    /** Name of the file that is the guest's RAM, if it is a file. */
    public static final String MEMORY = "memory";

    private final Path folder;

    /**
     * Makes a new one.
     *
     * @throws IOException if this machine refuses it
     */
    public RunFolder() throws IOException {
        folder = Files.createTempDirectory("virtio4j-");
    }

    /**
     * Where a file is or will be.
     *
     * @param name its name
     * @return its path
     */
    public Path path(String name) {
        return folder.resolve(name);
    }

    /**
     * Writes a new file.
     *
     * @param name its name
     * @param content its bytes
     * @return its path
     * @throws IOException if there is no room
     */
    public Path file(String name, byte[] content) throws IOException {
        return Files.write(path(name), content);
    }

    /**
     * Makes a file full of zeros, which takes no room until it is written to.
     *
     * @param name its name
     * @param bytes its length
     * @return its path
     * @throws IOException if this machine refuses it
     */
    public Path sparseFile(String name, long bytes) throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(path(name).toFile(), "rw")) {
            file.setLength(bytes);
        }
        return path(name);
    }

    @Override
    public void close() throws IOException {
        List<Path> inside;
        try (Stream<Path> walk = Files.walk(folder)) {
            inside = walk.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path path : inside) {
            Files.deleteIfExists(path);
        }
    }
}
