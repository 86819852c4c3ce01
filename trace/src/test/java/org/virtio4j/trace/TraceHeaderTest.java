// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.trace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TraceHeaderTest {
    private static final String START = "virtio4j-trace 2 iommus=1 ";
    private static final String CONFIG = "iommu=0 page_size_mask=1000 input_range=0-ffff domain_range=0-9 probe_size=64"
            + " bypass=0 features=7 accepted=6 queues=16,8";

    @Test
    void shouldGiveEveryPartWhenAHeaderIsRead() throws IOException {
        try (TraceReader reader = Traces.reader(Traces.HEADER)) {
            assertEquals(2, reader.version());
            TraceHeader header = reader.header();
            assertEquals(2, header.iommus().size());
            assertEquals(TraceHeader.ofVersion1().iommus().get(0), header.iommus().get(0));
            TraceHeader.Iommu second = header.iommus().get(1);
            assertEquals(new TraceHeader.Iommu(0x1000, 0x1000, -1, 1, 16, 64, false, 0x77, 7, 16, 8, List.of(
                    new TraceHeader.Endpoint(8, List.of()), new TraceHeader.Endpoint(-1, List.of(
                            new TraceHeader.Region(TraceHeader.RegionKind.RESERVED, 0, 0xfff),
                            new TraceHeader.Region(TraceHeader.RegionKind.MSI, 0x8000000, 0x80fffff)))), null), second);
        }
    }

    @Test
    void shouldWriteTheSameLineWhenAHeaderWasRead() throws IOException {
        String noted = START + "x-a=1 x-workload=disk,net=2 " + CONFIG + " endpoint=0:msi:0-0 endpoint=*\n";
        for (String line : List.of(Traces.HEADER, noted, START + CONFIG + "\n")) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            try (TraceReader reader = Traces.reader(line)) {
                TraceWriter.to(out, reader.header(), false).close();
            }
            assertEquals(line, out.toString(StandardCharsets.US_ASCII));
        }
    }

    @Test
    void shouldKeepNotesWhenTheirKeysBeginWithX() throws IOException {
        try (TraceReader reader = Traces.reader(START + "x-b=2 x-a=1 " + CONFIG + "\n")) {
            assertEquals(Map.of("x-a", "1", "x-b", "2"), reader.header().notes());
        }
    }

    @Test
    void shouldFindRegionsWhenAnEndpointIsListedOrNot() throws IOException {
        try (TraceReader reader = Traces.reader(Traces.HEADER)) {
            TraceHeader.Iommu open = reader.header().iommus().get(0);
            assertEquals(open.otherRegions(), open.regionsOf(48));
            TraceHeader.Iommu listed = reader.header().iommus().get(1);
            assertEquals(List.of(), listed.regionsOf(8));
            assertEquals(2, listed.endpoints().get(1).regions().size());
            assertEquals(listed.endpoints().get(1).regions(), listed.regionsOf(-1));
            assertNull(listed.regionsOf(48));
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '"', value = {
        "virtio4j-trace 3 iommus=1       | 'virtio4j-trace 2', as no other version is known | 3",
        "virtio4j-trace 1 iommus=1       | 'virtio4j-trace 2', as no other version is known | 1",
        "virtio4j-trace                  | 'virtio4j-trace 2', as no other version is known | end of line",
        "virtio4j-traces 2               | 'virtio4j-trace 2', as no other version is known | virtio4j-traces",
        "virtio4j-trace 2                | iommus=… | end of line",
        "virtio4j-trace 2 iommu=0        | iommus=… | iommu=0",
        "virtio4j-trace 2 iommus=x       | iommus=N, the number of IOMMUs | iommus=x",
        "virtio4j-trace 2 iommus=65537   | iommus=N, the number of IOMMUs | iommus=65537",
        "virtio4j-trace 2 iommus=0       | iommus=N, the number of IOMMUs, at least 1 | iommus=0",
        "virtio4j-trace 2  iommus=1      | iommus=… | \"\"",
        "virtio4j-trace 2 iommus=1 new=1 | iommu=… | new=1",
        "virtio4j-trace 2 iommus=1 iommu=1 | iommu=0 | iommu=1",
        "virtio4j-trace 2 iommus=1 x-=1  | a note x-KEY=VALUE, each key once | x-=1",
        "virtio4j-trace 2 iommus=1 x-a   | a note x-KEY=VALUE, each key once | x-a",
        "virtio4j-trace 2 iommus=1 x-a=  | a note x-KEY=VALUE, each key once | x-a=",
        "virtio4j-trace 2 iommus=1 x-a=1 x-a=2 | a note x-KEY=VALUE, each key once | x-a=2",
    })
    void shouldSayWhatIsWrongWhenTheHeaderBeginsBadly(String line, String expected, String found) {
        assertFailure(line, expected, found);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '"', value = {
        "page_size_mask=1000    | page_size_mask=0     | page_size_mask=MASK, hexadecimal and not 0",
        "page_size_mask=1000    | page_size_mask=0x1000 | page_size_mask=MASK, hexadecimal and not 0",
        "page_size_mask=1000    | input_range=0-1      | page_size_mask=…",
        "input_range=0-ffff     | input_range=1-0      | input_range=START-END, hexadecimal, in order",
        "input_range=0-ffff     | input_range=0        | input_range=START-END, hexadecimal, in order",
        "input_range=0-ffff     | input_range=0-1ffffffffffffffff | input_range=START-END, hexadecimal, in order",
        "domain_range=0-9       | domain_range=9-0 | domain_range=START-END, decimal, at most 4294967295, in order",
        "domain_range=0-9       | domain_range=0-4294967296"
                + "| domain_range=START-END, decimal, at most 4294967295, in order",
        "probe_size=64          | probe_size=-1        | probe_size=N, at most 4294967295",
        "bypass=0               | bypass=2             | bypass=0 or bypass=1",
        "features=7             | features=            | features=BITS, hexadecimal",
        "accepted=6             | accepted=8           | accepted=BITS, hexadecimal, none that features does not have",
        "queues=16,8            | queues=16            | queues=REQUESTS,EVENTS, powers of two up to 32768",
        "queues=16,8            | queues=0,8           | queues=REQUESTS,EVENTS, powers of two up to 32768",
        "queues=16,8            | queues=16,12         | queues=REQUESTS,EVENTS, powers of two up to 32768",
        "queues=16,8            | queues=65536,8       | queues=REQUESTS,EVENTS, powers of two up to 32768",
    })
    void shouldSayWhatIsWrongWhenAKeyHasABadValue(String good, String bad, String expected) {
        assertFailure(START + CONFIG.replace(good, bad), expected, bad);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '"', value = {
        "endpoint=x        | endpoint=ID, ID:REGIONS, * or *:REGIONS, each ID once and * last | endpoint=x",
        "endpoint=1 endpoint=1 | endpoint=ID, ID:REGIONS, * or *:REGIONS, each ID once and * last | endpoint=1",
        "endpoint=* endpoint=1 | endpoint=… or the end of the line | endpoint=1",
        "endpoint=**       | endpoint=* or endpoint=*:REGIONS | endpoint=**",
        "endpoint=1:       | regions as msi:START-END or reserved:START-END, hexadecimal, in order, separated by commas"
                + "| endpoint=1:",
        "endpoint=1:foo:0-1| regions as msi:START-END or reserved:START-END, hexadecimal, in order, separated by commas"
                + "| endpoint=1:foo:0-1",
        "endpoint=*:msi:2-1| regions as msi:START-END or reserved:START-END, hexadecimal, in order, separated by commas"
                + "| endpoint=*:msi:2-1",
        "new=1             | endpoint=… or the end of the line | new=1",
        "bypass=1          | endpoint=… or the end of the line | bypass=1",
        "iommu=1           | endpoint=… or the end of the line | iommu=1",
    })
    void shouldSayWhatIsWrongWhenTheHeaderEndsBadly(String end, String expected, String found) {
        assertFailure(START + CONFIG + " " + end, expected, found);
    }

    private static void assertFailure(String line, String expected, String found) {
        TraceFormatException failure = assertThrows(TraceFormatException.class,
                () -> Traces.reader(line + "\n").close());
        assertEquals("t:1: expected " + expected + ", found '" + found + "'", failure.getMessage());
    }

    @Test
    void shouldThrowWhenAComponentIsOutOfRange() {
        assertRefused("inputStart=1 inputEnd=0", () -> iommu(0, 1, 0, 0, 16, 0));
        assertRefused("domainStart=9 domainEnd=8", () -> iommu(9, 0, 0, 8, 16, 0));
        assertRefused("requestQueueSize=12", () -> iommu(0, 0, 0, 0, 12, 0));
        assertRefused("accepted=8", () -> iommu(0, 0, 0, 0, 16, 8));
        assertRefused("iommus=0", () -> new TraceHeader(List.of(), new TreeMap<>()));
        assertRefused("note=y", () -> new TraceHeader(List.of(iommu(0, 0, 0, 0, 16, 0)),
                new TreeMap<>(Map.of("y", "1"))));
        assertRefused("note x-a=two words", () -> new TraceHeader(List.of(iommu(0, 0, 0, 0, 16, 0)),
                new TreeMap<>(Map.of("x-a", "two words"))));
        assertRefused("start=2 end=1", () -> new TraceHeader.Region(TraceHeader.RegionKind.MSI, 2, 1));
    }

    private static TraceHeader.Iommu iommu(long domainStart, long inputStart, long inputEnd, long domainEnd,
            int queueSize, long accepted) {
        return new TraceHeader.Iommu(1, inputStart, inputEnd, domainStart, domainEnd, 0, false, 7, accepted, queueSize,
                8, List.of(), null);
    }

    private static void assertRefused(String start, Runnable action) {
        String message = assertThrows(IllegalArgumentException.class, action::run).getMessage();
        assertTrue(String.valueOf(message).startsWith(start + ": "), message);
    }
}
