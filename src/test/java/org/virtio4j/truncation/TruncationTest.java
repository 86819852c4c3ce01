// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.truncation;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.virtio4j.fixture.Seeds;

/**
 * Memory that is cut short while a device uses it ends no process, in whatever way the JVM executes: {@link
 * CutAccesses} and {@link TruncationRounds} do it, and this sees whether they live. By itself 30 rounds, 1,000 with
 * {@code -Dvirtio4j.truncation=full}.
 */
class TruncationTest {

    private static final boolean FULL = "full".equals(System.getProperty("virtio4j.truncation"));
    private static final int ROUNDS = FULL ? 1000 : 30;

    /** How the JVM executes. */
    enum Mode {
        INTERPRETED(10, "-Xint"),
        FIRST_COMPILER(1000, "-XX:TieredStopAtLevel=1"),
        SECOND_COMPILER(3000, "-XX:-TieredCompilation -XX:CompileThresholdScaling=0.1"),
        USUAL(300, "-XX:+TieredCompilation");

        private final int warmUps;
        private final String options;

        Mode(int warmUps, String options) {
            this.warmUps = warmUps;
            this.options = options;
        }
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("Memory cut short under load: the process lives, that machine fails alone, and works after its reset")
    void shouldLoseThatMachineAlone(Mode mode, @TempDir Path folder) throws IOException, InterruptedException {
        run(mode, folder, TruncationRounds.class, Files.createDirectory(folder.resolve("guests")).toString(),
                Integer.toString(ROUNDS), Integer.toString(mode.warmUps), Long.toString(Seeds.next()));
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("Each way in which guest memory is touched: an error, in the section and not behind it")
    void shouldMakeAnErrorOfEachAccess(Mode mode, @TempDir Path folder) throws IOException, InterruptedException {
        run(mode, folder, CutAccesses.class, folder.resolve("guest.ram").toString(),
                Integer.toString(10 * mode.warmUps));
    }

    private static void run(Mode mode, Path folder, Class<?> program, String... arguments)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of(mode.options.split(" ")));
        command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-XX:-CreateCoredumpOnCrash",
                "-XX:ErrorFile=" + folder.resolve("crash"), "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                program.getName()));
        command.addAll(List.of(arguments));
        Process child = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, child.waitFor(), () -> mode + " " + said);
        System.out.println(mode + ": " + said.strip());
    }
}
