// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.virtio4j.command.Interruption;

class MainTest {

    @Test
    void shouldSayHowItIsUsedWhenNothingIsGiven() {
        CommandRun run = CommandRun.of();
        assertEquals(0, run.status());
        assertTrue(run.out().startsWith("Usage: virtio4j COMMAND"), run.out());
    }

    @Test
    void shouldNameTheNearestCommandWhenItIsUnknown() {
        CommandRun run = CommandRun.of("repaly");
        assertEquals(2, run.status());
        assertEquals("virtio4j: unknown command 'repaly'; did you mean replay?\n", run.err());
        assertEquals("", run.out());
    }

    @Test
    void shouldListTheCommandsWhenNoneIsSimilar() {
        assertEquals("virtio4j: unknown command 'frobnicate'; expected one of guest serve config-to-toml replay version"
                + " completion help bench test build mvn jdk\n",
                CommandRun.of("frobnicate").err());
    }

    @Test
    void shouldNotTakeTwoDashesForACommand() {
        assertEquals(2, CommandRun.of("--").status());
        assertEquals("virtio4j: expected nothing before command 'version', found '--'\n",
                CommandRun.of("--", "version").err());
    }

    @Test
    void shouldPrintItsVersionWhenAsked() {
        CommandRun run = CommandRun.of("version");
        assertEquals(0, run.status());
        assertTrue(run.out().startsWith("virtio4j "), run.out());
    }

    @Test
    void shouldPrintItsVersionWhenAskedAsOthersAre() {
        assertEquals(CommandRun.of("version"), CommandRun.of("--version"));
    }

    @Test
    void shouldPrintTheHelpOfACommand() {
        assertEquals(CommandRun.of("guest", "--help"), CommandRun.of("help", "guest"));
        assertTrue(CommandRun.of("help", "bench").out().startsWith("Usage: virtio4j bench [--full]"));
        assertEquals("virtio4j: unknown command 'gest'; did you mean guest?\n", CommandRun.of("help", "gest").err());
    }

    @Test
    void shouldListEachCommandWithWhatItDoes() {
        CommandRun run = CommandRun.of("help");
        assertTrue(run.out().contains("\n  replay          play recorded virtio-iommu traffic back and compare\n"),
                run.out());
        assertTrue(run.out().contains("\n  bench           measure what requests, translations and transfers cost\n"),
                run.out());
    }

    @Test
    void shouldNotRunWhatTheScriptRuns() {
        CommandRun run = CommandRun.of("build");
        assertEquals(2, run.status());
        assertEquals("virtio4j: command build: expected to be run by the script virtio4j\n", run.err());
    }

    @Test
    void shouldRefuseArgumentsWhenTheCommandTakesNone() {
        CommandRun run = CommandRun.of("version", "please");
        assertEquals(2, run.status());
        assertEquals("virtio4j: expected no argument, found 'please'\n", run.err());
    }

    @Test
    void shouldFailWhenItsOutputIsLost() {
        OutputStream full = new OutputStream() {
            @Override
            public void write(int octet) throws IOException {
                throw new IOException("No space left on device");
            }
        };
        PrintStream err = new PrintStream(OutputStream.nullOutputStream(), true, StandardCharsets.UTF_8);
        assertEquals(2, Main.run(List.of("help"), new PrintStream(full, true, StandardCharsets.UTF_8), err,
                new Interruption()));
    }
}
