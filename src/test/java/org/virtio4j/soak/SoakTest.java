// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.soak;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * A process that makes and closes the same things again and again ends with what it had after the first tenth. {@code
 * -Dvirtio4j.soak=full} does it as often as a host does in weeks.
 */
@EnabledOnOs(value = OS.LINUX, disabledReason = "what a process holds is read from Linux's /proc")
class SoakTest {

    private static final boolean FULL = System.getProperty("virtio4j.soak", "").equals("full");
    private static final int DISK_SIZE = 1 << 16;

    /** A heap that is there from the start and cannot grow, and nothing else of the JVM's that comes and goes. */
    private static final List<String> STEADY = List.of("-Xms64m", "-Xmx64m", "-XX:+AlwaysPreTouch", "-XX:+UseSerialGC",
            "-XX:MaxDirectMemorySize=16m", "-XX:ReservedCodeCacheSize=24m", "-XX:-UseDynamicNumberOfCompilerThreads");

    /** The optimizing compiler comes late and takes memory of its own: half of what may be lost in the shorter run. */
    private static final String FIRST_COMPILER = "-XX:TieredStopAtLevel=1";
    private static final String ALL_COMPILERS = "-XX:+TieredCompilation";

    @TempDir
    private @Nullable Path folder;

    @Test
    @DisplayName("Functions and windows that are closed leave no readers, threads, descriptors or memory")
    void shouldLeaveNothingOfFunctions() throws IOException, InterruptedException {
        Path disk = Objects.requireNonNull(folder).resolve("disk.img");
        Files.write(disk, new byte[DISK_SIZE]);
        run(FIRST_COMPILER, FunctionSoak.class, disk.toString(), FULL ? "100000" : "4000");
    }

    @Test
    @DisplayName("IOMMUs that are closed leave no readers, threads, descriptors or memory, with mappings or without")
    void shouldLeaveNothingOfIommus() throws IOException, InterruptedException {
        run(ALL_COMPILERS, IommuSoak.class, FULL ? "100" : "10", "1048576");
    }

    private static void run(String compilers, Class<?> program, String... arguments)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(STEADY);
        command.addAll(List.of(compilers, "--enable-native-access=ALL-UNNAMED",
                "-Dvirtio4j.table.checked=" + System.getProperty("virtio4j.table.checked", "false"), "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                program.getName()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        // What the C library keeps for each thread is not ours.
        builder.environment().putAll(Map.of("MALLOC_ARENA_MAX", "1"));
        Process child = builder.start();
        String output = new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        System.out.print(output);
        assertEquals(0, child.waitFor(), output);
    }
}
