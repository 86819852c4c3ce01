// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.trace;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TraceWriterTest {
    private static final int EVENTS = 20_000;
    private static final List<EventKind> KINDS = List.of(EventKind.values());
    private static final List<TranslationKind> OUTCOMES = List.of(TranslationKind.values());

    @Test
    void shouldReadBackEveryEventWhenRandomOnesWereWritten() throws IOException {
        Random seeds = Traces.random("TraceWriterTest");
        long seed = seeds.nextLong();
        TraceHeader header = headerOf(5);
        for (boolean gzip : new boolean[] {false, true}) {
            byte[] trace = written(header, new Random(seed), gzip);
            assertArrayEquals(trace, written(header, new Random(seed), gzip));
            Random random = new Random(seed);
            try (TraceReader reader = Traces.reader(trace)) {
                assertEquals(header, reader.header());
                for (int i = 0; i < EVENTS; i++) {
                    TraceEvent expected = event(random);
                    assertTrue(reader.next());
                    assertEquals(expected, reader.event());
                    assertEquals(i + 2, reader.line());
                }
                assertFalse(reader.next());
            }
        }
    }

    @Test
    void shouldGiveTheSameEventsWhenVersion1IsWrittenAsVersion2() throws IOException {
        byte[] first = Traces.ascii(randomVersion1(Traces.random("TraceWriterTest.version1")));
        byte[] second;
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (TraceReader reader = Traces.reader(first);
                TraceWriter writer = TraceWriter.to(out, reader.header(), true)) {
            while (reader.next()) {
                writer.write(reader.event());
            }
        }
        second = out.toByteArray();
        try (TraceReader old = Traces.reader(first); TraceReader converted = Traces.reader(second)) {
            assertEquals(1, old.version());
            assertEquals(2, converted.version());
            assertEquals(old.header(), converted.header());
            while (old.next()) {
                assertTrue(converted.next());
                assertEquals(old.event(), converted.event());
                assertEquals(old.line() + 1, converted.line());
            }
            assertFalse(converted.next());
        }
    }

    @Test
    void shouldCompressByNameWhenAFileIsCreated(@TempDir Path folder) throws IOException {
        TraceEvent event = new TraceEvent.Status(0, 15);
        for (String name : List.of("t.gz", "t")) {
            Path file = folder.resolve(name);
            try (TraceWriter writer = TraceWriter.create(file, TraceHeader.ofVersion1())) {
                writer.write(event);
            }
            assertEquals(name.endsWith(".gz"), Files.readAllBytes(file)[0] == 0x1f);
            assertEquals(List.of("S 15"), Traces.events(Files.readAllBytes(file)));
        }
    }

    @Test
    void shouldHandOnEventsWhenFlushed() throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (TraceWriter writer = TraceWriter.to(out, TraceHeader.ofVersion1(), false)) {
            writer.write(new TraceEvent.Kick(0));
            writer.flush();
            assertEquals(List.of("K"), Traces.events(out.toByteArray()));
        }
        assertEquals(List.of("K"), Traces.events(out.toByteArray()));
    }

    @Test
    void shouldChangeNothingWhenClosedTwice() throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        TraceWriter writer = TraceWriter.to(out, TraceHeader.ofVersion1(), true);
        writer.write(new TraceEvent.Kick(0));
        writer.close();
        writer.close();
        assertEquals(List.of("K"), Traces.events(out.toByteArray()));
    }

    @Test
    void shouldThrowWhenTheHeaderHasNoSuchIommu() throws IOException {
        TraceEvent event = new TraceEvent.Kick(1);
        try (TraceWriter writer = TraceWriter.to(OutputStream.nullOutputStream(), TraceHeader.ofVersion1(), false)) {
            String message = assertThrows(IllegalArgumentException.class, () -> writer.write(event)).getMessage();
            assertEquals("iommu=1: the header has iommus=1, give a smaller index or a header with more", message);
        }
    }

    @Test
    void shouldKeepTheLongestRequestWhenItIsRaw() throws IOException {
        byte[] readable = new byte[TraceEvent.MAX_RAW_BYTES];
        byte[] written = new byte[TraceEvent.MAX_RAW_BYTES];
        new Random(1).nextBytes(readable);
        new Random(2).nextBytes(written);
        TraceEvent event = RawRequest.of(0, readable, readable.length, 4294967295L, written.length, written);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (TraceWriter writer = TraceWriter.to(out, TraceHeader.ofVersion1(), false)) {
            writer.write(event);
            writer.write(event);
        }
        try (TraceReader reader = Traces.reader(out.toByteArray())) {
            assertTrue(reader.next());
            assertEquals(event, reader.event());
            assertTrue(reader.next());
            assertEquals(event, reader.event());
            assertFalse(reader.next());
        }
    }

    @Test
    void shouldAllocateNothingWhenEventsAreWritten() throws IOException {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        List<TraceEvent> events = IntStream.range(0, 1000).<TraceEvent>mapToObj(i ->
                new TraceEvent.Map(0, 1, 0x1000L * i, 0x1000L * i + 0xfff, 0x7000, 3, 0)).toList();
        try (TraceWriter writer = TraceWriter.to(OutputStream.nullOutputStream(), TraceHeader.ofVersion1(), true)) {
            writer.write(events.getFirst());
            writer.flush();
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < 160_000; i++) {
                writer.write(events.get(i % events.size()));
            }
            long allocated = threads.getCurrentThreadAllocatedBytes() - before;
            // The first writing may load classes; one byte for each event would be 160,000.
            assertTrue(allocated < 16_384, "allocated=" + allocated);
        }
    }

    private static byte[] written(TraceHeader header, Random random, boolean gzip) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (TraceWriter writer = TraceWriter.to(out, header, gzip)) {
            for (int i = 0; i < EVENTS; i++) {
                writer.write(event(random));
            }
        }
        return out.toByteArray();
    }

    private static TraceHeader headerOf(int iommus) {
        TraceHeader.Iommu iommu = TraceHeader.ofVersion1().iommus().get(0);
        return new TraceHeader(Collections.nCopies(iommus, iommu), new TreeMap<>());
    }

    private static TraceEvent event(Random random) {
        int iommu = random.nextInt(5);
        int domain = random.nextInt() >>> random.nextInt(32);
        int endpoint = random.nextInt() >>> random.nextInt(32);
        int status = random.nextInt(9);
        long removed = random.nextBoolean() ? TraceEvent.UNRECORDED : Integer.toUnsignedLong(random.nextInt());
        return switch (pick(random, KINDS)) {
            case RESET_SYSTEM -> new TraceEvent.Reset(iommu);
            case STATUS -> new TraceEvent.Status(iommu, random.nextInt(256));
            case PROBE -> new TraceEvent.Probe(iommu, endpoint, status);
            case ATTACH -> attach(iommu, domain, endpoint, status, removed, random);
            case DETACH -> new TraceEvent.Detach(iommu, domain, endpoint, status, removed);
            case MAP -> new TraceEvent.Map(iommu, domain, address(random), address(random), address(random),
                    random.nextInt(), status);
            case UNMAP -> new TraceEvent.Unmap(iommu, domain, address(random), address(random), status,
                    Math.max(0, removed));
            case TRANSLATE -> new TraceEvent.Translate(iommu, endpoint, address(random), 1 + random.nextInt(2),
                    pick(random, OUTCOMES), address(random));
            case BYPASS -> new TraceEvent.Bypass(iommu, random.nextInt(256));
            case FAULT -> new TraceEvent.Fault(iommu, random.nextInt(256), random.nextInt(), endpoint, address(random));
            case KICK -> new TraceEvent.Kick(iommu);
            case RAW -> raw(iommu, random);
        };
    }

    private static TraceEvent attach(int iommu, int domain, int endpoint, int status, long removed, Random random) {
        return new TraceEvent.Attach(iommu, domain, endpoint, random.nextInt(), random.nextBoolean(), status, removed);
    }

    private static TraceEvent raw(int iommu, Random random) {
        byte[] readable = new byte[random.nextInt(80)];
        byte[] written = new byte[600];
        random.nextBytes(readable);
        random.nextBytes(written);
        long writable = random.nextInt(600);
        long used = random.nextInt(10) == 0 ? 4294967295L : random.nextInt(600);
        return RawRequest.of(iommu, readable, readable.length, writable, used, written);
    }

    private static <T> T pick(Random random, List<T> all) {
        return all.get(random.nextInt(all.size()));
    }

    /** Any address, small ones as likely as great ones. */
    private static long address(Random random) {
        return random.nextLong() >>> random.nextInt(64);
    }

    private static String randomVersion1(Random random) {
        StringBuilder text = new StringBuilder("Z\nS 15\n");
        for (int i = 0; i < EVENTS; i++) {
            String start = Long.toHexString(address(random));
            String end = Long.toHexString(address(random));
            int id = random.nextInt(300);
            text.append(switch (random.nextInt(8)) {
                case 0 -> "P " + id;
                case 1 -> "A " + random.nextInt(9) + " " + id + " " + random.nextInt(9);
                case 2 -> "M " + id + " " + start + " " + end + " " + Long.toHexString(address(random)) + " 3 0";
                case 3 -> "U " + id + " " + start + " " + end + " 0 " + random.nextInt(40);
                case 4 -> "T " + id + " " + start + " 1 " + pick(random, List.of("m", "b", "f"));
                case 5 -> "D " + random.nextInt(9) + " " + id + " " + random.nextInt(9);
                case 6 -> "S " + random.nextInt(256);
                default -> "T " + id + " " + start + " 2 " + end;
            }).append('\n');
        }
        return text.toString();
    }
}
