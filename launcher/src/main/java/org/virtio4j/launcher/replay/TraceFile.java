// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher.replay;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.virtio4j.trace.TraceFormatException;
import org.virtio4j.trace.TraceReader;

/** A recorded trace, wherever it is; it can be read any number of times. Immutable. */
public final class TraceFile {

    /** The boot of a Linux 6.12 guest with three devices. */
    public static final TraceFile SHIPPED = resource("boot-k612.gz");

    private static final String RESOURCES = "/org/virtio4j/launcher/";

    private final String name;
    private final Source source;

    /** Where a trace comes from. */
    @FunctionalInterface
    private interface Source {
        TraceReader open() throws TraceFormatException, UnusableTraceException;
    }

    private TraceFile(String name, Source source) {
        this.name = name;
        this.source = source;
    }

    /**
     * A file of the user's.
     *
     * @param path as the user wrote it
     * @return the trace, which need not exist
     */
    public static TraceFile of(Path path) {
        return new TraceFile(path.toString(), () -> open(path));
    }

    static TraceFile resource(String name) {
        return new TraceFile(name, () -> {
            InputStream resource = TraceFile.class.getResourceAsStream(RESOURCES + name);
            return TraceReader.of(Objects.requireNonNull(resource, name), name);
        });
    }

    static TraceFile of(String name, byte[] content) {
        return new TraceFile(name, () -> TraceReader.of(new ByteArrayInputStream(content), name));
    }

    /**
     * What messages call it.
     *
     * @return the path as the user wrote it
     */
    public String name() {
        return name;
    }

    /** Reads the first line; throws if there is no such file, or it is no trace, or it cannot be read twice. */
    TraceReader open() throws TraceFormatException, UnusableTraceException {
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
