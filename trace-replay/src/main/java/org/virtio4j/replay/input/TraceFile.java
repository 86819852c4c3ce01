// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.replay.input;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.virtio4j.trace.TraceFormatException;
import org.virtio4j.trace.TraceReader;

/** A recorded trace, wherever it is; it can be read any number of times. Immutable. */
public final class TraceFile {

    /** The boot of a Linux 6.12 guest with three devices. */
    public static final TraceFile SHIPPED = resource("boot-k612.gz");

    private final String name;
    private final Source source;

    /** Null where it is no file of the user's. */
    private final @Nullable Path file;

    /** Where a trace comes from. */
    @FunctionalInterface
    private interface Source {
        TraceReader open() throws TraceFormatException, UnusableTraceException;
    }

    private TraceFile(String name, @Nullable Path file, Source source) {
        this.name = name;
        this.file = file;
        this.source = source;
    }

    /**
     * A file of the user's.
     *
     * @param path as the user wrote it
     * @return the trace, which need not exist
     */
    public static TraceFile of(Path path) {
        return new TraceFile(path.toString(), path, () -> open(path));
    }

    private static TraceFile resource(String name) {
        return new TraceFile(name, null, () -> {
            InputStream resource = TraceFile.class.getResourceAsStream(name);
            return TraceReader.of(Objects.requireNonNull(resource, name), name);
        });
    }

    /**
     * A trace in memory.
     *
     * @param name what messages call it
     * @param content its bytes, compressed or not
     * @return the trace
     */
    public static TraceFile of(String name, byte[] content) {
        return new TraceFile(name, null, () -> TraceReader.of(new ByteArrayInputStream(content), name));
    }

    /**
     * What messages call it.
     *
     * @return the path as the user wrote it
     */
    public String name() {
        return name;
    }

    /**
     * Whether it lies at a path, so that writing there would destroy it.
     *
     * @param path any
     * @return true if both are the same file
     */
    public boolean isAt(Path path) {
        try {
            return file != null && Files.exists(path) && Files.isSameFile(file, path);
        } catch (IOException unknown) {
            // What cannot be looked at cannot be read either, and that is said then.
            return false;
        }
    }

    /**
     * Opens the trace and reads its first line.
     *
     * @return a reader at the first event, to be closed by the caller
     * @throws TraceFormatException if there is no such file, or it is no trace
     * @throws UnusableTraceException if it cannot be read twice
     */
    public TraceReader open() throws TraceFormatException, UnusableTraceException {
        return source.open();
    }

    private static TraceReader open(Path path) throws TraceFormatException, UnusableTraceException {
        if (Files.exists(path) && !Files.isRegularFile(path) && !Files.isDirectory(path)) {
            throw new UnusableTraceException(
                    path + ": expected a file, as a trace is read twice, found a pipe or device");
        }
        return TraceReader.open(path);
    }
}
