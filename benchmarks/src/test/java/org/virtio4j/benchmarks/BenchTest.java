// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.virtio4j.command.Interruption;

class BenchTest {

    @TempDir
    private Path folder;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private final Interruption interruption = new Interruption();

    @Test
    void shouldRefuseAnOptionThatIsMistyped() {
        assertRefused("unknown option '--ful'; did you mean --full?", "--ful");
    }

    @Test
    void shouldRefuseAnExpressionThatIsBroken() {
        assertRefused("'(': expected a regular expression, found: Unclosed group", "(");
    }

    @Test
    void shouldRefuseASecondExpression() {
        assertRefused("expected one regular expression, found also 'b'", "a", "b");
    }

    @Test
    void shouldRefuseAnExpressionThatNothingMatches() {
        assertRefused("no row matches 'no such row'; --list prints them, with --full those of the full run",
                "no such row");
        assertRefused("no row matches 'no such row'; --list prints them", "--full", "no such row");
    }

    @Test
    void shouldFindOutBeforeMeasuringThatAFileCannotBeWritten() {
        Path file = folder.resolve("missing").resolve("file");
        assertRefused(file + ": expected a file that can be written, found: no such folder",
                "--json", file.toString());
        assertEquals("", out.toString(StandardCharsets.UTF_8));
    }

    @Test
    void shouldListRowsWithoutMeasuring() {
        assertEquals(0, run("--list", "decode"));
        assertTrue(out.toString(StandardCharsets.UTF_8).lines()
                .allMatch(line -> line.startsWith("doorbell decode, ")), out.toString(StandardCharsets.UTF_8));
    }

    @Test
    void shouldChooseRowsInUpperOrLowerCase() {
        assertEquals(0, run("--list", "^unmap"));
        assertFalse(out.toString(StandardCharsets.UTF_8).isEmpty());
    }

    @Test
    void shouldWriteWhatWasMeasuredWhenItIsInterrupted() {
        interruption.request();
        Path json = folder.resolve("results.json");
        assertEquals(130, run("--json", json.toString(), "--markdown", folder.resolve("table.md").toString()));
        assertTrue(out.toString(StandardCharsets.UTF_8).contains("interrupted: 0 of "),
                out.toString(StandardCharsets.UTF_8));
        assertTrue(Files.exists(json));
        assertTrue(Files.exists(folder.resolve("table.md")));
    }

    @Test
    void shouldRefuseOptionsThatDoNotGoTogether() {
        assertRefused("option --trace: expected with --peers, found without it", "--trace", "file");
        assertRefused("option --list: expected without --peers, found with it", "--peers", "--list");
        assertRefused("expected --quick or --full, found both", "--peers", "--quick", "--full");
        assertRefused("expected options only, found 'lookup'", "--peers", "lookup");
        assertRefused("option --quota: expected without --peers, found with it", "--peers", "--quota");
        assertRefused("option --full: expected without --quota, found with it", "--quota", "--full");
        assertRefused("expected options only, found 'lookup'", "--quota", "lookup");
    }

    /** With whatever compilers there are: a missing one leaves its column empty. */
    @Test
    void shouldCompareTheTableWithItsPeers() throws IOException {
        Path json = folder.resolve("peers.json");
        Path chart = folder.resolve("peers.svg");
        assertEquals(0, run("--peers", "--quick", "--json", json.toString(), "--svg", chart.toString(), "--markdown",
                folder.resolve("peers.md").toString()), err.toString(StandardCharsets.UTF_8));
        assertTrue(Files.readString(json).contains("\"Java TreeMap\": {"), Files.readString(json));
        assertTrue(Files.readString(chart).contains("remove and insert"), Files.readString(chart));
        assertTrue(out.toString(StandardCharsets.UTF_8).contains("UNMAP of everything"));
    }

    @Test
    void shouldPrintWhatAGuestThatFillsItsQuotaCosts() {
        assertEquals(0, run("--quota", "--quick"), err.toString(StandardCharsets.UTF_8));
        String text = out.toString(StandardCharsets.UTF_8);
        assertTrue(text.contains("after 6 quotas") && text.contains("327,680"), text);
        assertTrue(text.contains("while guest A fills its quota"), text);
    }

    private void assertRefused(String message, String... args) {
        err.reset();
        assertEquals(2, run(args));
        assertEquals("virtio4j: " + message + System.lineSeparator(), err.toString(StandardCharsets.UTF_8));
    }

    private int run(String... args) {
        return Bench.run(List.of(args), new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8), interruption);
    }
}
