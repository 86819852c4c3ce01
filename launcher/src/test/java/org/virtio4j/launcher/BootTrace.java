// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.virtio4j.replay.input.TraceFile;

/** The trace that comes along, line by line, to make others of. */
final class BootTrace {

    private BootTrace() {
    }

    /**
     * The lines.
     *
     * @return as they were recorded
     * @throws IOException never
     */
    public static List<String> lines() throws IOException {
        InputStream resource = Objects.requireNonNull(TraceFile.class.getResourceAsStream("boot-k612.gz"));
        try (BufferedReader reader = new BufferedReader(
                new InputStreamReader(new GZIPInputStream(resource), StandardCharsets.US_ASCII))) {
            return reader.lines().toList();
        }
    }

    /**
     * The trace with one line changed.
     *
     * @param number of the line, counted from 1
     * @param change what becomes of it
     * @return the text
     * @throws IOException never
     */
    public static String changed(int number, UnaryOperator<String> change) throws IOException {
        List<String> lines = lines();
        return IntStream.range(0, lines.size())
                .mapToObj(i -> i == number - 1 ? change.apply(lines.get(i)) : lines.get(i))
                .collect(Collectors.joining("\n", "", "\n"));
    }

    /** Number of the first line of a kind, counted from 1. */
    static int first(char letter) throws IOException {
        List<String> lines = lines();
        return 1 + IntStream.range(0, lines.size()).filter(i -> lines.get(i).charAt(0) == letter).findFirst()
                .orElseThrow();
    }

    static Path write(Path file, String text) throws IOException {
        return Files.writeString(file, text);
    }

    static Path writeGzip(Path file, String text) throws IOException {
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(file))) {
            out.write(text.getBytes(StandardCharsets.US_ASCII));
        }
        return file;
    }
}
