// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Runs the command in a JVM of its own: for signals, and for a JVM without a compiler. */
class OwnJvmTest {

    @TempDir
    private Path folder;

    @Test
    @Timeout(120)
    void shouldPrintWhatWasReachedWhenInterrupted() throws IOException, InterruptedException {
        Path trace = BootTrace.write(folder.resolve("trace"), BootTrace.changed(1, line -> line));
        Path json = folder.resolve("result.json");
        Process process = start(List.of(), "replay", "--warm-up", "1", "--json", json.toString(), trace.toString(),
                trace.toString(), trace.toString(), trace.toString(), trace.toString(), trace.toString());
        try (BufferedReader out = process.inputReader()) {
            assertEquals(trace.toString(), out.readLine());
            assertEquals(0, new ProcessBuilder("kill", "-INT", Long.toString(process.pid())).start().waitFor());
            List<String> rest = out.lines().toList();
            assertTrue(rest.contains("  mismatches              0                     0"), rest.toString());
            assertEquals("interrupted", rest.getLast());
        }
        assertEquals(130, process.waitFor());
        assertTrue(Files.readString(json).contains("\"interrupted\": true"));
    }

    @Test
    @Timeout(120)
    void shouldAllocateNothingPerRequestWhenInterpreted() throws IOException, InterruptedException {
        Process process = start(List.of("-Xint"), "replay", "--warm-up", "0");
        try (BufferedReader out = process.inputReader()) {
            String all = out.lines().collect(Collectors.joining("\n"));
            assertTrue(all.contains("  heap bytes per request  0.000 (0 in all)      0.000 (0 in all)"), all);
        }
        assertEquals(0, process.waitFor());
    }

    private static Process start(List<String> jvmOptions, String... args) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(jvmOptions);
        command.add("--enable-native-access=ALL-UNNAMED");
        command.add("-cp");
        command.add(System.getProperty("java.class.path"));
        command.add(Main.class.getName());
        command.addAll(List.of(args));
        return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    }
}
