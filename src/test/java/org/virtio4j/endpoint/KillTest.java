// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The process of the disk is killed, as by kill -9, and the file is looked at. */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class KillTest {

    private static final int SECTOR = 512;

    /** More rounds than a reader of the output is likely to lag behind. */
    private static final int MOST = 8;

    @ParameterizedTest
    @ValueSource(strings = {"W", "F"})
    @DisplayName("5.2.6.2: what a FLUSH was answered for is in the file; a sector is old or new, never half of each")
    void shouldKeepWhatWasFlushed(String moment, @TempDir Path folder) throws IOException, InterruptedException {
        Path image = Files.write(folder.resolve("disk.img"), new byte[KilledDisk.SECTORS * SECTOR]);
        int round = 1 + new Random(BlockTests.seed()).nextInt(MOST);
        List<String> said = runAndKill(image, moment + " " + round);
        long flushed = said.stream().filter(line -> line.startsWith("F ")).count();
        assertTrue(flushed >= round - 1, said.toString());
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(image));
        assertEquals(KilledDisk.SECTORS * SECTOR, bytes.capacity());
        for (int sector = 0; sector < KilledDisk.SECTORS; sector++) {
            long number = bytes.getLong(sector * SECTOR);
            assertTrue(number >= flushed && number <= flushed + 2, "sector " + sector + " has " + number);
            for (int at = 0; at < SECTOR; at += Long.BYTES) {
                assertEquals(number, bytes.getLong(sector * SECTOR + at), "sector " + sector);
            }
        }
    }

    /** Kills the process when it says what is waited for; returns all it had said by then. */
    private static List<String> runAndKill(Path image, String last) throws IOException, InterruptedException {
        String classPath = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        Process child = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED", "-cp", classPath, KilledDisk.class.getName(), image.toString())
                .redirectErrorStream(true).start();
        List<String> said = new ArrayList<>();
        try (BufferedReader output = child.inputReader(StandardCharsets.UTF_8)) {
            String line;
            do {
                line = Objects.requireNonNull(output.readLine(), () -> "it ended by itself: " + said);
                said.add(line);
            } while (!line.equals(last));
            // By its handle: Process would close the output too, and what was said before the end counts.
            child.toHandle().destroyForcibly();
            while ((line = output.readLine()) != null) {
                said.add(line);
            }
        }
        child.waitFor();
        return said;
    }
}
