// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
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
        List<String> arguments = new ArrayList<>(List.of("replay", "--warm-up", "1", "--json", json.toString()));
        // So many that it is at work still when the signal comes, however busy the host is.
        arguments.addAll(Collections.nCopies(100, trace.toString()));
        Process process = start(List.of(), arguments.toArray(String[]::new));
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

    @Test
    @Timeout(120)
    void shouldSaySoWhenMemoryIsNotEnoughToStart() throws IOException, InterruptedException {
        Files.write(folder.resolve("disk.img"), new byte[4096]);
        Path config = Files.writeString(folder.resolve("vm.toml"), """
                [[machine]]
                folder = "run"
                [machine.iommu]
                address = "00:08.0"
                [[machine.disk]]
                address = "00:0a.0"
                file = "disk.img"
                queues = 1024
                """);
        Process process = builder(List.of("-Xmx48m"), "serve", "--config", config.toString())
                .redirectErrorStream(true).start();
        try (BufferedReader out = process.inputReader()) {
            List<String> lines = out.lines().toList();
            assertEquals(1, lines.size(), lines.toString());
            // The serial collector, which the JVM takes on one processor, leaves a survivor space out of the 48 MiB.
            assertTrue(lines.getFirst().matches("virtio4j: out of memory: .*; Java may use 4[0-8] MiB; ask for less, or"
                    + " give it more, such as VIRTIO4J_JAVA_OPTS=-Xmx256m"), lines.getFirst());
        }
        assertEquals(1, process.waitFor());
        assertTrue(Files.notExists(folder.resolve("run")));
    }

    @Test
    @Timeout(120)
    void shouldNotWaitForWhoMightWriteTheConfigurationWhenInterrupted() throws IOException, InterruptedException {
        Path pipe = folder.resolve("pipe");
        assertEquals(0, new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor());
        Process process = start(List.of(), "serve", "--config", pipe.toString());
        // Opened when the command has opened it to read.
        try (OutputStream writer = Files.newOutputStream(pipe)) {
            assertEquals(0, new ProcessBuilder("kill", "-TERM", Long.toString(process.pid())).start().waitFor());
            assertTrue(process.waitFor(15, TimeUnit.SECONDS), "it waits for the configuration still");
            writer.flush();
        }
        assertEquals(143, process.exitValue());
    }

    @Test
    @Timeout(120)
    void shouldSayWhatItWaitsForWhenInterrupted() throws IOException, InterruptedException {
        Files.write(folder.resolve("disk.img"), new byte[4096]);
        Path config = Files.writeString(folder.resolve("vm.toml"), """
                [[machine]]
                folder = "run"
                [machine.iommu]
                address = "00:08.0"
                [[machine.disk]]
                address = "00:0a.0"
                file = "disk.img"
                """);
        Path pipe = folder.resolve("pipe");
        assertEquals(0, new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor());
        Process process = builder(List.of(), "serve", "--config", config.toString(), "--record", pipe.toString())
                .redirectErrorStream(true).start();
        try (BufferedReader out = process.inputReader()) {
            // The stack of a thread is the only sign of one that waits for a pipe to be opened.
            while (!stacks(process.pid()).contains("OutputFile.stream")) {
                Thread.onSpinWait();
            }
            assertEquals(0, new ProcessBuilder("kill", "-TERM", Long.toString(process.pid())).start().waitFor());
            assertEquals("virtio4j: still opening " + pipe + "; ends within 20 s anyway", out.readLine());
        } finally {
            process.destroyForcibly();
        }
    }

    private static String stacks(long pid) throws IOException, InterruptedException {
        Process jstack = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "jstack").toString(),
                Long.toString(pid)).redirectErrorStream(true).start();
        try (BufferedReader out = jstack.inputReader()) {
            return out.lines().collect(Collectors.joining("\n"));
        } finally {
            int ignored = jstack.waitFor();
        }
    }

    private static Process start(List<String> jvmOptions, String... args) throws IOException {
        return builder(jvmOptions, args).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    }

    private static ProcessBuilder builder(List<String> jvmOptions, String... args) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(jvmOptions);
        command.add("--enable-native-access=ALL-UNNAMED");
        command.add("-cp");
        command.add(System.getProperty("java.class.path"));
        command.add(Main.class.getName());
        command.addAll(List.of(args));
        return new ProcessBuilder(command);
    }
}
