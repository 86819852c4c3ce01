// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Completes words in a bash that has read the script. */
class CompletionCommandTest {

    /** Finds the function for a command that is written with its folder, as bash does, and calls it. */
    private static final String ASK = """
            source completion
            compopt() { :; } # works only in a shell that completes
            COMP_WORDS=("$@")
            COMP_CWORD=$(($# - 1))
            COMP_LINE="$*"
            COMP_POINT=${#COMP_LINE}
            function=$(complete -p virtio4j | sed 's/.*-F \\([^ ]*\\) .*/\\1/')
            "$function"
            printf '%s\\n' "${COMPREPLY[@]}"
            """;

    @TempDir
    private Path folder;

    @BeforeEach
    void writeScript() throws IOException {
        Assumptions.assumeTrue(Files.isExecutable(Path.of("/bin/bash")), "no bash");
        CommandRun run = CommandRun.of("completion");
        assertEquals(0, run.status(), run.err());
        Files.writeString(folder.resolve("completion"), run.out());
    }

    @Test
    void shouldCompleteCommandsOfTheLauncherAndOfTheScript() throws IOException, InterruptedException {
        assertEquals(Set.of("guest", "serve", "config-to-toml", "replay", "version", "completion", "help", "bench",
                "test", "build", "mvn", "jdk"), complete(""));
        assertEquals(Set.of("serve"), complete("se"));
        assertEquals(Set.of("bench", "build"), complete("b"));
    }

    @Test
    void shouldCompleteOptions() throws IOException, InterruptedException {
        assertEquals(Set.of("--json"), complete("replay", "--j"));
        assertEquals(Set.of("--memory", "--memory-file"), complete("guest", "--strict", "--me"));
        assertEquals(Set.of("--peers"), complete("bench", "--p"));
    }

    @Test
    void shouldCompleteValues() throws IOException, InterruptedException {
        assertEquals(Set.of("mmio", "pci", "both"), complete("replay", "--transport", ""));
        assertEquals(Set.of("verify"), complete("guest", "--workload", "ve"));
        assertEquals(Set.of("arm64"), complete("guest", "--arch", "a"));
        assertEquals(Set.of("its", "imsic"), complete("guest", "--interrupts", "i"));
        assertEquals(Set.of("4", "16"), complete("guest", "--page-size", ""));
    }

    @Test
    void shouldCompleteFiles() throws IOException, InterruptedException {
        Files.createFile(folder.resolve("vm.conf"));
        assertEquals(Set.of("vm.conf"), complete("serve", "--config", "vm"));
        assertEquals(Set.of("vm.conf"), complete("replay", "vm"));
    }

    @Test
    void shouldCompleteCommandsToExplain() throws IOException, InterruptedException {
        Set<String> commands = complete("help", "");
        assertTrue(commands.containsAll(List.of("guest", "bench")), commands.toString());
        assertFalse(commands.contains("--version"), commands.toString());
    }

    private Set<String> complete(String... words) throws IOException, InterruptedException {
        ProcessBuilder bash = new ProcessBuilder("/bin/bash", "--norc", "-c", ASK, "bash", "./virtio4j");
        bash.command().addAll(List.of(words));
        Process process = bash.directory(folder.toFile()).redirectErrorStream(true).start();
        try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8)) {
            Set<String> completions = new TreeSet<>(out.lines().map(String::strip).toList());
            assertEquals(0, process.waitFor(), completions.toString());
            return completions;
        }
    }
}
