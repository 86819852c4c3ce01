// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.trace;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPOutputStream;

/**
 * Writes a trace of version 2, plain or compressed with gzip. The same events give the same bytes; {@link #write}
 * allocates nothing, except for a RAW event longer than any before. Not for two threads at once: a recorder of several
 * virtual CPUs has to put their events into one order.
 */
public final class TraceWriter implements AutoCloseable {
    private static final int CHUNK = 1 << 16;

    private final OutputStream out;
    private final int iommus;
    private final LineEncoder encoder = new LineEncoder(CHUNK + 1024);
    private boolean closed;

    private TraceWriter(OutputStream out, TraceHeader header) throws IOException {
        this.out = out;
        iommus = header.iommus().size();
        out.write(HeaderFormat.text(header).getBytes(StandardCharsets.US_ASCII));
    }

    /**
     * Creates a file, or replaces it, and writes the header.
     *
     * @param file path of the trace; compressed if the name ends in {@code .gz}
     * @param header how the recorded IOMMUs are configured
     * @return a writer before the first event
     * @throws IOException if the file cannot be written
     */
    public static TraceWriter create(Path file, TraceHeader header) throws IOException {
        return to(Files.newOutputStream(file), header, file.toString().endsWith(".gz"));
    }

    /**
     * Writes the header to a stream.
     *
     * @param out where the trace goes; belongs to the writer from here on, and is closed if this fails
     * @param header how the recorded IOMMUs are configured
     * @param gzip whether to compress
     * @return a writer before the first event
     * @throws IOException if the stream cannot be written
     */
    public static TraceWriter to(OutputStream out, TraceHeader header, boolean gzip) throws IOException {
        try {
            return new TraceWriter(gzip ? new GZIPOutputStream(out, CHUNK) : out, header);
        } catch (IOException | RuntimeException failure) {
            try {
                out.close();
            } catch (IOException trouble) {
                failure.addSuppressed(trouble);
            }
            throw failure;
        }
    }

    /**
     * Appends one event. It may stay in a buffer until {@link #flush()} or {@link #close()}.
     *
     * @param event what to write
     * @throws IllegalArgumentException if the header has no IOMMU with the event's index
     * @throws IOException if the file or stream cannot be written
     */
    public void write(TraceEvent event) throws IOException {
        if (event.iommu() >= iommus) {
            throw new IllegalArgumentException("iommu=" + event.iommu() + ": the header has iommus=" + iommus
                    + ", give a smaller index or a header with more");
        }
        encoder.append(event);
        if (encoder.length() >= CHUNK) {
            drain();
        }
    }

    /**
     * Hands on what was written so far. A compressed trace cannot be read in full before {@link #close()}.
     *
     * @throws IOException if the file or stream cannot be written
     */
    public void flush() throws IOException {
        drain();
        out.flush();
    }

    /**
     * Completes the trace and closes the file or stream; nothing can be written afterwards. Closing again does nothing.
     *
     * @throws IOException if the file or stream cannot be written
     */
    @Override
    public void close() throws IOException {
        if (closed) {
            return;
        }
        closed = true;
        try (OutputStream completed = out) {
            drain();
            completed.flush();
        }
    }

    private void drain() throws IOException {
        out.write(encoder.bytes(), 0, encoder.length());
        encoder.clear();
    }
}
