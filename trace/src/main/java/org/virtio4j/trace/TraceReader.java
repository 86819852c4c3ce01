// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.trace;

import java.io.IOException;
import java.io.InputStream;
import java.io.PushbackInputStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Reads a trace of version 1 or 2, plain or compressed with gzip; the first bytes tell which. Holds one buffer, and no
 * more of the trace than that buffer and one event: a trace may be longer than memory. {@link #next()} allocates the
 * event and nothing else. Not for two threads at once.
 *
 * <pre>{@code
 *   try (TraceReader reader = TraceReader.open(path)) {
 *       while (reader.next()) {
 *           replay(reader.event());
 *       }
 *   }
 * }</pre>
 */
public final class TraceReader implements AutoCloseable {
    private static final int GZIP_MAGIC = 0x1f8b;
    private static final long MAX_UNSIGNED_INT = 0xffff_ffffL;

    private static final String OPERATION_1 = "one of the operations Z S P A D M U T C F";
    private static final String OPERATION_2 = "one of the operations Z S P A D M U T C F K R";
    private static final String IOMMU = "an IOMMU index after the operation, from 1 and below the header's iommus";
    private static final String DOMAIN = "a domain, decimal, at most 4294967295";
    private static final String ENDPOINT = "an endpoint, decimal, at most 4294967295";
    private static final String FLAGS = "flags, decimal, at most 4294967295";
    private static final String ATTACH_FLAGS = "flags, decimal, at most 4294967295, or ?";
    private static final String STATUS = "a request status, decimal, 0 to 8";
    private static final String REMOVED = "the number of mappings removed, decimal, at most 4294967295";
    private static final String REMOVED_OR_NOT = "the number of mappings removed, decimal, at most 4294967295, or ?";
    private static final String VIRT_START = "the first virtual address, up to 16 lower-case hexadecimal digits";
    private static final String VIRT_END = "the last virtual address, up to 16 lower-case hexadecimal digits";
    private static final String PHYS_START = "a physical address, up to 16 lower-case hexadecimal digits";
    private static final String IOVA = "a virtual address, up to 16 lower-case hexadecimal digits";
    private static final String ACCESS = "an access, 1 for read or 2 for write";
    private static final String RESULT = "m, b, f or a physical address of up to 16 lower-case hexadecimal digits";
    private static final String DEVICE_STATUS = "a device status, decimal, 0 to 255";
    private static final String BYPASS = "the bypass byte, decimal, 0 to 255";
    private static final String REASON = "a fault reason, decimal, 0 to 255";
    private static final String READABLE = "the readable bytes, up to 65536 pairs of hexadecimal digits, or -";
    private static final String WRITABLE = "the number of writable bytes, decimal, at most 4294967295";
    private static final String USED = "the used length, decimal, at most 4294967295";
    private static final String WRITTEN = "the written bytes in pairs of hexadecimal digits, or -,"
            + " as many as the used length but no more than are writable";

    private final LineScanner scanner;
    private final int version;
    private final TraceHeader header;

    /** Null before the first call of {@link #next()}. */
    private @Nullable TraceEvent event;

    private TraceReader(LineScanner scanner) throws TraceFormatException {
        this.scanner = scanner;
        if (!scanner.nextLine()) {
            throw scanner.failure("an event or a header", "end of file");
        }
        if (scanner.startsWith(HeaderFormat.SIGNATURE)) {
            version = 2;
            header = HeaderFormat.parse(scanner);
        } else {
            version = 1;
            header = TraceHeader.ofVersion1();
            scanner.stayOnLine();
        }
    }

    /**
     * Opens a file and reads its first line.
     *
     * @param file path of a trace
     * @return a reader before the first event
     * @throws TraceFormatException if there is no such file, it cannot be read, or its first line is no header of
     *     version 2 though it begins like one
     */
    public static TraceReader open(Path file) throws TraceFormatException {
        String name = file.toString();
        if (Files.isDirectory(file)) {
            throw new TraceFormatException(name, 0, "a trace file", "a directory", null);
        }
        InputStream in;
        try {
            in = Files.newInputStream(file);
        } catch (NoSuchFileException missing) {
            throw new TraceFormatException(name, 0, "a trace file", "no such file", missing);
        } catch (AccessDeniedException denied) {
            throw new TraceFormatException(name, 0, "a file that can be read", "no permission", denied);
        } catch (IOException trouble) {
            throw new TraceFormatException(name, 0, "a file that can be read", String.valueOf(trouble.getMessage()),
                    trouble);
        }
        return of(in, name);
    }

    /**
     * Reads the first line of a stream.
     *
     * @param in the trace's bytes; belongs to the reader from here on, and is closed if this fails
     * @param name what messages call the trace
     * @return a reader before the first event
     * @throws TraceFormatException if the stream cannot be read, or its first line is no header of version 2 though it
     *     begins like one
     */
    public static TraceReader of(InputStream in, String name) throws TraceFormatException {
        try {
            return new TraceReader(new LineScanner(uncompressed(in, name), name));
        } catch (TraceFormatException | RuntimeException failure) {
            try {
                in.close();
            } catch (IOException trouble) {
                failure.addSuppressed(trouble);
            }
            throw failure;
        }
    }

    private static InputStream uncompressed(InputStream in, String name) throws TraceFormatException {
        PushbackInputStream plain = new PushbackInputStream(in, 2);
        byte[] magic = new byte[2];
        try {
            int count = plain.readNBytes(magic, 0, 2);
            plain.unread(magic, 0, count);
            boolean gzip = count == 2 && ((magic[0] & 0xff) << 8 | (magic[1] & 0xff)) == GZIP_MAGIC;
            return gzip ? new GzipInput(plain) : plain;
        } catch (IOException trouble) {
            throw new TraceFormatException(name, 0, "data that can be read", String.valueOf(trouble.getMessage()),
                    trouble);
        }
    }

    /**
     * Which version of the format the trace is in.
     *
     * @return 1 or 2
     */
    public int version() {
        return version;
    }

    /**
     * How the recorded IOMMUs were configured.
     *
     * @return the trace's header, or in version 1 {@link TraceHeader#ofVersion1()}
     */
    public TraceHeader header() {
        return header;
    }

    /**
     * The event that {@link #next()} read last.
     *
     * @return the event, which stays valid when others are read
     * @throws IllegalStateException before the first call of {@link #next()}
     */
    public TraceEvent event() {
        if (event == null) {
            throw new IllegalStateException("event=none; call next() first");
        }
        return event;
    }

    /**
     * How far the reader has come.
     *
     * @return number of the line read last in the uncompressed text, counted from 1; after the end, of the line that
     *     would come next
     */
    public long line() {
        return scanner.line();
    }

    /**
     * Reads the next line, whose event {@link #event()} then gives.
     *
     * @return false at the end of the trace, where the event stays as it was
     * @throws TraceFormatException if the line is not in the format or the data cannot be read; the trace cannot be
     *     read on then
     */
    public boolean next() throws TraceFormatException {
        if (!scanner.nextLine()) {
            return false;
        }
        int letter = scanner.firstCharacter();
        int iommu = iommuIndex(letter);
        TraceEvent read = switch (letter) {
            case 'M' -> map(iommu);
            case 'U' -> unmap(iommu);
            case 'T' -> translate(iommu);
            case 'A' -> attach(iommu);
            case 'D' -> detach(iommu);
            case 'P' -> probe(iommu);
            case 'S' -> new TraceEvent.Status(iommu, (int) scanner.decimal(255, DEVICE_STATUS));
            case 'C' -> new TraceEvent.Bypass(iommu, (int) scanner.decimal(255, BYPASS));
            case 'Z' -> new TraceEvent.Reset(iommu);
            case 'F' -> fault(iommu);
            default -> versionTwo(letter, iommu);
        };
        scanner.endOfLine();
        event = read;
        return true;
    }

    /**
     * Ends the reading and closes the file or stream.
     *
     * @throws IOException if closing fails
     */
    @Override
    public void close() throws IOException {
        scanner.close();
    }

    private int iommuIndex(int letter) throws TraceFormatException {
        if (scanner.atFieldEnd()) {
            return 0;
        }
        boolean known = "ZSPADMUTCFKR".indexOf(letter) >= 0;
        if (version == 1 || !known) {
            throw scanner.unexpected(version == 1 ? OPERATION_1 : OPERATION_2);
        }
        return scanner.index(header.iommus().size() - 1, IOMMU);
    }

    private TraceEvent versionTwo(int letter, int iommu) throws TraceFormatException {
        if (version == 2 && letter == 'K') {
            return new TraceEvent.Kick(iommu);
        }
        if (version == 2 && letter == 'R') {
            return raw(iommu);
        }
        throw scanner.unexpected(version == 1 ? OPERATION_1 : OPERATION_2);
    }

    private TraceEvent probe(int iommu) throws TraceFormatException {
        int endpoint = (int) scanner.decimal(MAX_UNSIGNED_INT, ENDPOINT);
        return new TraceEvent.Probe(iommu, endpoint, version == 1 ? 0 : status());
    }

    private TraceEvent attach(int iommu) throws TraceFormatException {
        int domain = domain();
        int endpoint = (int) scanner.decimal(MAX_UNSIGNED_INT, ENDPOINT);
        boolean flagsRecorded = version > 1 && !scanner.skipField('?');
        int flags = flagsRecorded ? (int) scanner.decimal(MAX_UNSIGNED_INT, ATTACH_FLAGS) : 0;
        int status = status();
        return new TraceEvent.Attach(iommu, domain, endpoint, flags, flagsRecorded, status, removedIfRecorded());
    }

    private TraceEvent detach(int iommu) throws TraceFormatException {
        int domain = domain();
        int endpoint = (int) scanner.decimal(MAX_UNSIGNED_INT, ENDPOINT);
        int status = status();
        return new TraceEvent.Detach(iommu, domain, endpoint, status, removedIfRecorded());
    }

    private long removedIfRecorded() throws TraceFormatException {
        if (version == 1 || scanner.skipField('?')) {
            return TraceEvent.UNRECORDED;
        }
        return scanner.decimal(MAX_UNSIGNED_INT, REMOVED_OR_NOT);
    }

    private TraceEvent map(int iommu) throws TraceFormatException {
        int domain = domain();
        long virtStart = scanner.hex(VIRT_START);
        long virtEnd = scanner.hex(VIRT_END);
        long physStart = scanner.hex(PHYS_START);
        int flags = (int) scanner.decimal(MAX_UNSIGNED_INT, FLAGS);
        return new TraceEvent.Map(iommu, domain, virtStart, virtEnd, physStart, flags, status());
    }

    private TraceEvent unmap(int iommu) throws TraceFormatException {
        int domain = domain();
        long virtStart = scanner.hex(VIRT_START);
        long virtEnd = scanner.hex(VIRT_END);
        int status = status();
        return new TraceEvent.Unmap(iommu, domain, virtStart, virtEnd, status,
                scanner.decimal(MAX_UNSIGNED_INT, REMOVED));
    }

    private TraceEvent translate(int iommu) throws TraceFormatException {
        int endpoint = (int) scanner.decimal(MAX_UNSIGNED_INT, ENDPOINT);
        long iova = scanner.hex(IOVA);
        int access = (int) scanner.decimal(2, ACCESS);
        if (access == 0) {
            throw scanner.unexpected(ACCESS);
        }
        TranslationKind kind = outcome();
        long address = kind == TranslationKind.ADDRESS ? scanner.hex(RESULT) : 0;
        return new TraceEvent.Translate(iommu, endpoint, iova, access, kind, address);
    }

    private TranslationKind outcome() {
        if (scanner.skipField('m')) {
            return TranslationKind.MSI;
        }
        if (scanner.skipField('b')) {
            return TranslationKind.BYPASS;
        }
        return scanner.skipField('f') ? TranslationKind.FAULT : TranslationKind.ADDRESS;
    }

    private TraceEvent fault(int iommu) throws TraceFormatException {
        int reason = (int) scanner.decimal(255, REASON);
        int flags = (int) scanner.decimal(MAX_UNSIGNED_INT, FLAGS);
        int endpoint = (int) scanner.decimal(MAX_UNSIGNED_INT, ENDPOINT);
        return new TraceEvent.Fault(iommu, reason, flags, endpoint, scanner.hex(IOVA));
    }

    private TraceEvent raw(int iommu) throws TraceFormatException {
        byte[] readable = new byte[scanner.beginBytes(TraceEvent.MAX_RAW_BYTES, READABLE)];
        scanner.bytes(readable, readable.length, READABLE);
        long writable = scanner.decimal(MAX_UNSIGNED_INT, WRITABLE);
        long used = scanner.decimal(MAX_UNSIGNED_INT, USED);
        int count = scanner.beginBytes(TraceEvent.MAX_RAW_BYTES, WRITTEN);
        if (count != Math.min(writable, used)) {
            throw scanner.unexpected(WRITTEN);
        }
        byte[] written = new byte[count];
        scanner.bytes(written, count, WRITTEN);
        return RawRequest.owning(iommu, readable, writable, used, written);
    }

    private int domain() throws TraceFormatException {
        return (int) scanner.decimal(MAX_UNSIGNED_INT, DOMAIN);
    }

    private int status() throws TraceFormatException {
        return (int) scanner.decimal(TraceEvent.MAX_STATUS, STATUS);
    }
}
