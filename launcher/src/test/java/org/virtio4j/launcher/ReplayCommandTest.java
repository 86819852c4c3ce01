// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.virtio4j.command.Interruption;
import org.virtio4j.trace.TraceReader;
import org.virtio4j.trace.TraceWriter;

class ReplayCommandTest {

    private static final String BOOT_REQUESTS = "51 (MAP 29, UNMAP 16, ATTACH 3, DETACH 0, PROBE 3, raw 0)";

    @TempDir
    private Path folder;

    // Exit 0

    @Test
    void shouldPlayTheShippedTraceOverEachTransportWhenNoneIsGiven() {
        CommandRun run = CommandRun.replay();
        assertEquals(0, run.status(), run.err());
        assertLine(run, "boot-k612.gz");
        assertRow(run, "transport", "mmio", "pci");
        assertRow(run, "requests", BOOT_REQUESTS);
        assertRow(run, "kicks", "22", "22");
        assertRow(run, "translations checked", "205", "205");
        assertRow(run, "peak live mappings", "13", "13");
        assertRow(run, "mismatches", "0", "0");
        assertTrue(run.out().contains("  requests per second     "), run.out());
        assertTrue(run.out().contains("  heap bytes per request  "), run.out());
        assertEquals("", run.err());
    }

    @Test
    void shouldPlayOverOneTransportWhenItIsNamed() {
        for (String transport : List.of("mmio", "pci")) {
            CommandRun run = CommandRun.replay("--transport", transport);
            assertEquals(0, run.status(), run.err());
            assertRow(run, "transport", transport);
            assertLine(run, "  kicks                   22");
            assertLine(run, "  mismatches              0");
        }
        assertRow(CommandRun.replay("--transport=both"), "transport", "mmio", "pci");
    }

    @Test
    void shouldSayHowItIsUsedWhenAsked() {
        CommandRun run = CommandRun.replay("--help");
        assertEquals(0, run.status());
        assertTrue(run.out().contains("--json FILE"), run.out());
    }

    @Test
    void shouldPlayAPassthroughBootWhenTheGuestNeverMaps() throws IOException {
        Path trace = write("S 0\nS 1\nS 3\nS 11\nS 15\nP 32\nA 0 32 0\nT 32 1234 1 1234\nT 32 fee00000 2 m\n");
        assertEquals(0, CommandRun.replay(trace).status());
    }

    @Test
    void shouldPlayVersion2WhenItIsMadeOfVersion1() throws IOException {
        Path one = BootTrace.writeGzip(folder.resolve("one.gz"), BootTrace.changed(1, line -> line));
        Path two = folder.resolve("two.gz");
        try (TraceReader reader = TraceReader.open(one);
                TraceWriter writer = TraceWriter.create(two, reader.header())) {
            while (reader.next()) {
                writer.write(reader.event());
            }
        }
        CommandRun run = CommandRun.replay(two);
        assertEquals(0, run.status(), run.out() + run.err());
        assertRow(run, "requests", BOOT_REQUESTS);
        assertRow(run, "kicks", "22", "22");
    }

    @Test
    void shouldReportEachTraceAndATotalWhenThereAreSeveral() throws IOException {
        Path good = write(BootTrace.changed(1, line -> line));
        Path bad = folder.resolve("bad");
        BootTrace.write(bad, BootTrace.changed(BootTrace.first('U'), line -> line.replaceAll("1$", "2")));
        CommandRun run = CommandRun.replay(good, bad, good);
        assertEquals(1, run.status(), run.err());
        assertLine(run, good.toString());
        assertLine(run, bad.toString());
        assertLine(run, "total");
        assertRow(run, "requests", "153 (MAP 87, UNMAP 48, ATTACH 9, DETACH 0, PROBE 9, raw 0)");
        assertRow(run, "mismatches", "1", "1");
        assertEquals(4, run.out().lines().filter(line -> line.startsWith("  transport ")).count());
    }

    // Exit 1

    @Test
    void shouldNameTheLineWhenATranslationDiffers() throws IOException {
        assertMismatch('T', line -> line + "0", "translation of fffff002 for endpoint 32: expected 1b250020, came "
                + "1b25002");
    }

    @Test
    void shouldNameTheLineWhenACountOfRemovedMappingsDiffers() throws IOException {
        assertMismatch('U', line -> line.replaceAll("1$", "2"), "UNMAP domain 2 ff");
        assertMismatch('U', line -> line.replaceAll("1$", "2"), ": expected 2 mappings removed, came 1");
    }

    @Test
    void shouldNameTheLineWhenAStatusDiffers() throws IOException {
        assertMismatch('M', line -> line.replaceAll("0$", "5"), "MAP domain 2 fffff000-ffffffff: expected status "
                + "RANGE, came OK");
        assertMismatch('A', line -> line.replaceAll("0$", "4"), "ATTACH domain 0 endpoint 32: expected status INVAL");
    }

    @Test
    void shouldShowTenMismatchesAndCountTheRestWhenThereAreMore() throws IOException {
        Path trace = write(BootTrace.changed(1, line -> line).replaceAll("(?m)^(T .* [0-9a-f]+)$", "$1f"));
        CommandRun run = CommandRun.replay(trace);
        assertEquals(1, run.status());
        assertEquals(10, run.out().lines().filter(line -> line.contains(": translation of ")).count());
        assertTrue(run.out().contains("    ... and "), run.out());
    }

    // Exit 2

    @Test
    void shouldNameTheOptionWhenItIsUnknown() {
        assertUnusable("unknown option '--jsom'; did you mean --json?", "--jsom", "x");
    }

    @Test
    void shouldNameTheNearestTransportWhenItIsUnknown() {
        assertUnusable("unknown transport 'pcie'; did you mean pci?", "--transport", "pcie");
        assertUnusable("unknown transport 'channel'; expected one of mmio pci both", "--transport=channel");
        assertUnusable("option --transport: expected a value, found none", "--transport");
    }

    @Test
    void shouldRefuseATimeWhenItIsNone() {
        assertEquals("virtio4j: option --warm-up: expected 0 to 3600 seconds, found 'soon'\n",
                CommandRun.of("replay", "--warm-up=soon").err());
    }

    @Test
    void shouldNameTheLineWhenItIsMalformed() throws IOException {
        Path trace = write(BootTrace.changed(40, line -> "M 0 xyz"));
        assertUnusable(trace + ":40: expected the first virtual address, up to 16 lower-case hexadecimal digits, found "
                + "'xyz'", trace);
    }

    @Test
    void shouldNameTheLineWhenAnOperationIsUnknown() throws IOException {
        Path trace = write("S 0\nX 1\n");
        assertUnusable(trace + ":2: expected one of the operations Z S P A D M U T C F, found 'X'", trace);
    }

    @Test
    void shouldSayWhereWhenACompressedTraceIsCutOff() throws IOException {
        Path trace = BootTrace.writeGzip(folder.resolve("cut.gz"), BootTrace.changed(1, line -> line));
        byte[] bytes = Files.readAllBytes(trace);
        Files.write(trace, Arrays.copyOf(bytes, bytes.length - 100));
        CommandRun run = CommandRun.replay(trace);
        assertEquals(2, run.status());
        assertTrue(run.err().startsWith("virtio4j: " + trace + ":"), run.err());
        assertEquals(1, run.err().lines().count());
        assertEquals("", run.out());
    }

    @Test
    void shouldSaySoWhenThereIsNoSuchFile() {
        Path missing = folder.resolve("missing.gz");
        assertUnusable(missing + ": expected a trace file, found 'no such file'", missing);
    }

    @Test
    void shouldSaySoWhenItIsADirectory() {
        assertUnusable(folder + ": expected a trace file, found 'a directory'", folder);
    }

    @Test
    void shouldSaySoWhenItIsADevice() {
        assertUnusable("/dev/null: expected a file, as a trace is read twice, found a pipe or device", "/dev/null");
    }

    @Test
    void shouldSaySoWhenItIsEmpty() throws IOException {
        Path trace = write("");
        CommandRun run = CommandRun.replay(trace);
        assertEquals(2, run.status());
        assertTrue(run.err().startsWith("virtio4j: " + trace + ":1: expected an event or a header"), run.err());
    }

    @Test
    void shouldPlayNothingWhenALaterTraceIsUnusable() throws IOException {
        CommandRun run = CommandRun.replay(write(BootTrace.changed(1, line -> line)), folder.resolve("missing"));
        assertEquals(2, run.status());
        assertEquals("", run.out());
    }

    @Test
    void shouldNameTheFirstLineWhenNoDeviceCanBeLikeTheRecorded() throws IOException {
        String header = "virtio4j-trace 2 iommus=1 iommu=0 page_size_mask=fffffffffffff000 input_range=0-ffff "
                + "domain_range=0-1 probe_size=%s bypass=1 features=10000007f accepted=%s queues=256,256\n";
        Path probeSize = write(String.format(header, "3000000", "100000077"));
        assertUnusable(probeSize + ":1: expected a configuration that can be built, found probeSize=3000000, but 0 to "
                + "65536 bytes can be answered", probeSize);
        Path feature = write(String.format(header, "512", "10000007f"));
        assertUnusable(feature + ":1: expected a configuration that can be built, found accepted=10000007f, but this "
                + "device has no feature bit 3", feature);
    }

    @Test
    void shouldNameTheLineWhenAnEndpointIsNotInTheHeader() throws IOException {
        Path trace = write("virtio4j-trace 2 iommus=1 iommu=0 page_size_mask=fffffffffffff000 input_range=0-ffff "
                + "domain_range=0-1 probe_size=512 bypass=1 features=100000077 accepted=100000077 queues=256,256 "
                + "endpoint=32\nT 32 0 1 0b\nT 33 0 1 0b\n");
        CommandRun run = CommandRun.replay(trace);
        assertEquals(2, run.status(), run.out());
        assertEquals("virtio4j: " + trace + ":3: expected an endpoint of the first line, found '33'\n", run.err());
    }

    // JSON

    @Test
    void shouldWriteTheSameAsJsonWhenAsked() throws IOException {
        Path json = folder.resolve("result.json");
        Files.writeString(json, "old");
        CommandRun run = CommandRun.replay("--json", json);
        assertEquals(0, run.status(), run.err());
        String text = Files.readString(json);
        assertTrue(text.contains("\"requests\": 51,"), text);
        assertTrue(text.contains("\"requests\": 102,"), text);
        assertEquals(2, text.split("\"transport\": \"pci\",", -1).length - 1, text);
        assertTrue(text.contains("\"interrupted\": false,"), text);
        assertArrayEquals(new String[] {"result.json"}, folder.toFile().list());
    }

    @Test
    void shouldNotWriteResultsOverATrace() throws IOException {
        Path trace = Files.writeString(folder.resolve("some.trace"), "precious");
        Path link = Files.createSymbolicLink(folder.resolve("link"), trace);
        assertUnusable("option --json: expected another file than a trace, found '" + link + "'",
                "--json", link, trace);
        assertEquals("precious", Files.readString(trace));
    }

    @Test
    void shouldSaySoWhenTheFolderOfTheJsonFileIsMissing() {
        Path json = folder.resolve("no/such/result.json");
        assertUnusable(json + ": expected a file that can be written, found: no such folder", "--json", json);
    }

    @Test
    void shouldSaySoWhenTheJsonFileIsADirectory() {
        assertUnusable(folder + ": expected a file to write, found a directory", "--json", folder);
    }

    @Test
    void shouldSaySoWhenTheDiskIsFull() {
        Assumptions.assumeTrue(Files.exists(Path.of("/dev/full")));
        CommandRun run = CommandRun.replay("--json", "/dev/full");
        assertEquals(2, run.status());
        assertEquals("virtio4j: /dev/full: expected a file that can be written, found: No space left on device\n",
                run.err());
        assertFalse(Files.isRegularFile(Path.of("/dev/full")));
    }

    @Test
    void shouldLeaveNoFileBehindWhenATraceIsUnusable() throws IOException {
        CommandRun.replay("--json", folder.resolve("result.json"), folder.resolve("missing"));
        assertArrayEquals(new String[0], folder.toFile().list());
    }

    // Exit 130

    @Test
    void shouldSaySoWhenTheUserHasEndedIt() throws IOException {
        Path json = folder.resolve("result.json");
        Interruption interruption = new Interruption();
        interruption.request();
        CommandRun run = CommandRun.of(interruption, "replay", "--json", json.toString());
        assertEquals(130, run.status());
        assertEquals("interrupted\n", run.out());
        assertTrue(Files.readString(json).contains("\"interrupted\": true,"));
    }

    @FunctionalInterface
    private interface Change extends UnaryOperator<String> {
    }

    private void assertMismatch(char letter, Change change, String text) throws IOException {
        int line = BootTrace.first(letter);
        Path trace = write(BootTrace.changed(line, change));
        CommandRun run = CommandRun.replay(trace);
        assertEquals(1, run.status(), run.out() + run.err());
        assertTrue(run.out().contains("    " + trace + ":" + line + ": "), run.out());
        assertTrue(run.out().contains(text), run.out());
        assertRow(run, "mismatches", "1", "1");
    }

    private void assertUnusable(String message, Object... args) {
        CommandRun run = CommandRun.replay(args);
        assertEquals(2, run.status(), run.out() + run.err());
        assertEquals("virtio4j: " + message + "\n", run.err());
    }

    private static void assertRow(CommandRun run, String... cells) {
        assertTrue(run.out().lines().anyMatch(line -> List.of(cells).equals(List.of(line.strip().split(" {2,}")))),
                run.out());
    }

    private static void assertLine(CommandRun run, String line) {
        assertTrue(run.out().lines().anyMatch(line::equals), run.out());
    }

    private Path write(String text) throws IOException {
        return BootTrace.write(folder.resolve("trace"), text);
    }
}
