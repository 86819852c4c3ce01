// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.trace;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TraceReaderTest {
    private static final String VERSION_1 = """
            Z
            S 15
            P 32
            A 7 32 0
            M 7 fffff000 ffffffff 1e45000 3 0
            T 32 fffff002 2 1e45002
            T 32 fee01000 2 m
            U 7 fffff000 ffffffff 0 1
            """;

    @Test
    void shouldGiveOneEventForEachLineWhenVersion1IsRead() throws IOException {
        try (TraceReader reader = Traces.reader(VERSION_1)) {
            assertEquals(1, reader.version());
            assertEquals(TraceHeader.ofVersion1(), reader.header());
            assertThrows(IllegalStateException.class, reader::event);
            expect(reader, new TraceEvent.Reset(0), 1);
            expect(reader, new TraceEvent.Status(0, 15), 2);
            expect(reader, new TraceEvent.Probe(0, 32, 0), 3);
            expect(reader, new TraceEvent.Attach(0, 7, 32, 0, false, 0, TraceEvent.UNRECORDED), 4);
            expect(reader, new TraceEvent.Map(0, 7, 0xfffff000L, 0xffffffffL, 0x1e45000L, 3, 0), 5);
        }
    }

    @Test
    void shouldReadTranslationsAndCountsWhenVersion1GoesOn() throws IOException {
        try (TraceReader reader = Traces.reader(VERSION_1.substring(VERSION_1.indexOf('T')))) {
            expect(reader, new TraceEvent.Translate(0, 32, 0xfffff002L, 2, TranslationKind.ADDRESS, 0x1e45002L), 1);
            expect(reader, new TraceEvent.Translate(0, 32, 0xfee01000L, 2, TranslationKind.MSI, 0), 2);
            TraceEvent last = new TraceEvent.Unmap(0, 7, 0xfffff000L, 0xffffffffL, 0, 1);
            expect(reader, last, 3);
            assertFalse(reader.next());
            assertFalse(reader.next());
            assertEquals(last, reader.event());
            assertEquals(4, reader.line());
        }
    }

    private static void expect(TraceReader reader, TraceEvent event, long line) throws IOException {
        assertTrue(reader.next());
        assertEquals(event, reader.event());
        assertEquals(line, reader.line());
    }

    @Test
    void shouldReadEveryFieldWhenVersion2IsRead() throws IOException {
        String lines = """
                Z1
                S1 255
                C 1
                P1 4294967295 6
                A1 4294967295 8 1 4 3
                A 1 2 ? 0 ?
                D 1 2 0 70000
                D1 1 2 4 ?
                M1 16 0 ffffffffffffffff f000000000000000 4294967295 8
                U 1 0 0 5 0
                T1 8 0 1 f
                T1 8 0 1 0f
                T 8 b 2 b
                T 8 b 2 0b
                F 2 257 8 ffffffffffff1000
                K1
                R - 0 0 -
                R 0100ff 516 4 04000000
                R1 00 3 4294967295 010203
                """;
        List<String> expected = lines.lines().toList();
        assertEquals(expected, Traces.events(Traces.ascii(Traces.HEADER + lines)));
        assertEquals(expected, Traces.events(Traces.gzip(Traces.ascii(Traces.HEADER + lines))));
    }

    @Test
    void shouldGiveRawBytesWhenARequestIsRaw() throws IOException {
        try (TraceReader reader = Traces.reader(Traces.HEADER + "R1 010203 4294967295 2 0a0b\n")) {
            assertTrue(reader.next());
            RawRequest request = assertInstanceOf(RawRequest.class, reader.event());
            assertEquals(EventKind.RAW, request.kind());
            assertEquals(1, request.iommu());
            assertArrayEquals(new byte[] {1, 2, 3}, request.readable());
            assertEquals(4294967295L, request.writableLength());
            assertEquals(2, request.usedLength());
            assertArrayEquals(new byte[] {10, 11}, request.written());
        }
    }

    @Test
    void shouldReadTheLastLineWhenItsNewlineIsMissing() throws IOException {
        assertEquals(List.of("Z", "S 0"), Traces.events(Traces.ascii("Z\nS 0")));
    }

    @Test
    void shouldReadLinesWhenTheyCrossTheEndsOfReads() throws IOException {
        byte[] trace = Traces.ascii(VERSION_1);
        InputStream slow = new ByteArrayInputStream(trace) {
            @Override
            public synchronized int read(byte[] target, int offset, int length) {
                return super.read(target, offset, Math.min(length, 1));
            }
        };
        try (TraceReader reader = TraceReader.of(slow, "t")) {
            int count = 0;
            while (reader.next()) {
                count++;
            }
            assertEquals(8, count);
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '"', value = {
        "X 1                        | one of the operations Z S P A D M U T C F | X",
        "z                          | one of the operations Z S P A D M U T C F | z",
        "K                          | one of the operations Z S P A D M U T C F | K",
        "R - 0 0 -                  | one of the operations Z S P A D M U T C F | R",
        "M1 0 0 fff 0 3 0           | one of the operations Z S P A D M U T C F | M1",
        "<                          | one of the operations Z S P A D M U T C F | <",
        "Z 0                        | the end of the line | 0",
        "S 15 16                    | the end of the line | 16",
        "S                          | a device status, decimal, 0 to 255 | end of line",
        "S 256                      | a device status, decimal, 0 to 255 | 256",
        "S 0x0                      | a device status, decimal, 0 to 255 | 0x0",
        "S -1                       | a device status, decimal, 0 to 255 | -1",
        "C 300                      | the bypass byte, decimal, 0 to 255 | 300",
        "P 4294967296               | an endpoint, decimal, at most 4294967295 | 4294967296",
        "P 12345678901234567890     | an endpoint, decimal, at most 4294967295 | 12345678901234567890",
        "P 1 0                      | the end of the line | 0",
        "A 4294967296 1 0           | a domain, decimal, at most 4294967295 | 4294967296",
        "A 1 1                      | a request status, decimal, 0 to 8 | end of line",
        "A 1 1 9                    | a request status, decimal, 0 to 8 | 9",
        "A 1 1 0 0                  | the end of the line | 0",
        "M  0 0 fff 0 3 0           | a domain, decimal, at most 4294967295 | \"\"",
        "M 0 g fff 0 3 0            | the first virtual address, up to 16 lower-case hexadecimal digits | g",
        "M 0 0 FFF 0 3 0            | the last virtual address, up to 16 lower-case hexadecimal digits | FFF",
        "M 0 0 0x0 0 3 0            | the last virtual address, up to 16 lower-case hexadecimal digits | 0x0",
        "M 0 0 fff 10000000000000000 3 0"
                + "| a physical address, up to 16 lower-case hexadecimal digits | 10000000000000000",
        "M 0 0 fff 0 4294967296 0   | flags, decimal, at most 4294967295 | 4294967296",
        "M 0 0 fff 0 3              | a request status, decimal, 0 to 8 | end of line",
        "U 0 0 fff 0                | the number of mappings removed, decimal, at most 4294967295 | end of line",
        "U 0 0 fff 0 ?              | the number of mappings removed, decimal, at most 4294967295 | ?",
        "U 0 0 fff 0 -1             | the number of mappings removed, decimal, at most 4294967295 | -1",
        "T 1 0 0 0                  | an access, 1 for read or 2 for write | 0",
        "T 1 0 3 0                  | an access, 1 for read or 2 for write | 3",
        "T 1 0 1                    | m, b, f or a physical address of up to 16 lower-case hexadecimal digits"
                + "| end of line",
        "T 1 0 1 x                  | m, b, f or a physical address of up to 16 lower-case hexadecimal digits | x",
        "T 1 0 1 mm                 | m, b, f or a physical address of up to 16 lower-case hexadecimal digits | mm",
        "T 1 0 1 m m                | the end of the line | m",
        "F 256 0 0 0                | a fault reason, decimal, 0 to 255 | 256",
        "D 1 1 0 0                  | the end of the line | 0",
    })
    void shouldSayWhatIsWrongWhenALineOfVersion1IsNotInTheFormat(String line, String expected, String found) {
        TraceFormatException failure = failure(Traces.ascii("Z\nS 0\n" + line + "\nZ\n"));
        assertEquals("t:3: expected " + expected + ", found '" + found + "'", failure.getMessage());
        assertEquals("t", failure.file());
        assertEquals(3, failure.line());
        assertEquals(expected, failure.expected());
        assertEquals(found, failure.found());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '"', value = {
        "X                 | one of the operations Z S P A D M U T C F K R | X",
        "garbage           | one of the operations Z S P A D M U T C F K R | garbage",
        "M0 0 0 fff 0 3 0  | an IOMMU index after the operation, from 1 and below the header's iommus | M0",
        "M2 0 0 fff 0 3 0  | an IOMMU index after the operation, from 1 and below the header's iommus | M2",
        "Z1x               | an IOMMU index after the operation, from 1 and below the header's iommus | Z1x",
        "P 1               | a request status, decimal, 0 to 8 | end of line",
        "A 1 1 0           | a request status, decimal, 0 to 8 | end of line",
        "A 1 1 x 0 0       | flags, decimal, at most 4294967295, or ? | x",
        "A 1 1 0 0         | the number of mappings removed, decimal, at most 4294967295, or ? | end of line",
        "A 1 1 0 0 ??      | the number of mappings removed, decimal, at most 4294967295, or ? | ??",
        "D 1 1 0 ? 0       | the end of the line | 0",
        "K 1               | the end of the line | 1",
        "R 0 0 0 -         | the readable bytes, up to 65536 pairs of hexadecimal digits, or - | 0",
        "R 0g 0 0 -        | the readable bytes, up to 65536 pairs of hexadecimal digits, or - | 0g",
        "R -- 0 0 -        | the readable bytes, up to 65536 pairs of hexadecimal digits, or - | --",
        "R - 4294967296 0 -| the number of writable bytes, decimal, at most 4294967295 | 4294967296",
        "R - 0 x -         | the used length, decimal, at most 4294967295 | x",
        "R - 4 4 -         | the written bytes in pairs of hexadecimal digits, or -, as many as the used length but no"
                + " more than are writable | -",
        "R - 4 1 0000      | the written bytes in pairs of hexadecimal digits, or -, as many as the used length but no"
                + " more than are writable | 0000",
        "R - 1 4 00000000  | the written bytes in pairs of hexadecimal digits, or -, as many as the used length but no"
                + " more than are writable | 00000000",
    })
    void shouldSayWhatIsWrongWhenALineOfVersion2IsNotInTheFormat(String line, String expected, String found) {
        TraceFormatException failure = failure(Traces.ascii(Traces.HEADER + line + "\n"));
        assertEquals("t:2: expected " + expected + ", found '" + found + "'", failure.getMessage());
    }

    @Test
    void shouldRefuseTheLineWhenItEndsInCarriageReturnOrSpace() {
        assertEquals("t:1: expected one of the operations Z S P A D M U T C F, found 'Z\\r'",
                failure(Traces.ascii("Z\r\n")).getMessage());
        assertEquals("t:1: expected a device status, decimal, 0 to 255, found '0\\r'",
                failure(Traces.ascii("S 0\r\n")).getMessage());
        assertEquals("t:1: expected the end of the line, found ''", failure(Traces.ascii("S 0 \n")).getMessage());
        assertEquals("t:1: expected the end of the line, found ''", failure(Traces.ascii("Z \n")).getMessage());
    }

    @Test
    void shouldRefuseTheLineWhenItIsEmptyOrBinary() {
        assertEquals("t:2: expected one of the operations Z S P A D M U T C F, found 'an empty line'",
                failure(Traces.ascii("Z\n\nZ\n")).getMessage());
        assertEquals("t:1: expected one of the operations Z S P A D M U T C F, found '\\x00\\xff\\x80A\\t'",
                failure(new byte[] {0, -1, -128, 'A', '\t', '\n'}).getMessage());
        assertEquals("t:1: expected one of the operations Z S P A D M U T C F, found '\\x1f'",
                failure(new byte[] {0x1f}).getMessage());
    }

    @Test
    void shouldRefuseTheTraceWhenItIsEmpty() throws IOException {
        assertEquals("t:1: expected an event or a header, found 'end of file'", failure(new byte[0]).getMessage());
        assertEquals("t:1: expected an event or a header, found 'end of file'",
                failure(Traces.gzip(new byte[0])).getMessage());
    }

    @Test
    void shouldRefuseTheLineWhenItNeverEnds() {
        byte[] zeros = new byte[3 * LineScanner.MAX_LINE];
        Arrays.fill(zeros, (byte) '0');
        assertEquals("t:1: expected a line of at most 262400 characters, found '" + "0".repeat(48) + "…'",
                failure(zeros).getMessage());
    }

    @Test
    void shouldSayWhatIsThereInsteadWhenTheFileIsMissingOrADirectory(@TempDir Path folder) {
        Path missing = folder.resolve("none.gz");
        assertEquals(missing + ": expected a trace file, found 'no such file'",
                assertThrows(TraceFormatException.class, () -> TraceReader.open(missing)).getMessage());
        TraceFormatException failure = assertThrows(TraceFormatException.class, () -> TraceReader.open(folder));
        assertEquals(folder + ": expected a trace file, found 'a directory'", failure.getMessage());
        assertEquals(0, failure.line());
    }

    @Test
    void shouldTellCompressedFromPlainWhenTheNameLies(@TempDir Path folder) throws IOException {
        Path plain = Files.write(folder.resolve("plain.gz"), Traces.ascii("Z\n"));
        Path compressed = Files.write(folder.resolve("compressed"), Traces.gzip(Traces.ascii("Z\n")));
        for (Path file : List.of(plain, compressed)) {
            try (TraceReader reader = TraceReader.open(file)) {
                assertTrue(reader.next());
                assertFalse(reader.next());
            }
        }
    }

    @Test
    void shouldNameTheLineReachedWhenReadingFails() throws IOException {
        InputStream broken = new InputStream() {
            private int given;

            @Override
            public int read() throws IOException {
                throw new IOException("the disk is gone");
            }

            @Override
            public int read(byte[] target, int offset, int length) throws IOException {
                if (given == 6) {
                    return read();
                }
                target[offset] = (byte) "Z\nS 0\n".charAt(given++);
                return 1;
            }
        };
        try (TraceReader reader = TraceReader.of(broken, "t")) {
            assertTrue(reader.next());
            assertTrue(reader.next());
            TraceFormatException failure = assertThrows(TraceFormatException.class, reader::next);
            assertEquals("t:3: expected data that can be read, found 'the disk is gone'", failure.getMessage());
        }
    }

    @Test
    void shouldAllocateOnlyTheEventsWhenATraceIsRead() throws IOException {
        byte[] trace = Traces.gzip(Traces.ascii(VERSION_1.repeat(20_000)));
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        try (TraceReader reader = Traces.reader(trace)) {
            assertTrue(reader.next());
            long before = threads.getCurrentThreadAllocatedBytes();
            int count = 1;
            while (reader.next()) {
                count++;
            }
            long allocated = threads.getCurrentThreadAllocatedBytes() - before;
            assertEquals(160_000, count);
            // The largest event has 64 bytes; the first reading may load classes.
            assertTrue(allocated < 16_384 + 64 * 160_000, "allocated=" + allocated);
        }
    }

    private static TraceFormatException failure(byte[] trace) {
        return assertThrows(TraceFormatException.class, () -> Traces.events(trace));
    }
}
