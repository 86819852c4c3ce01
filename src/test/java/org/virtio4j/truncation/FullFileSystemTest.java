// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.truncation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.virtio4j.driver.StartResult;
import org.virtio4j.fixture.Parked;
import org.virtio4j.transport.TransportKind;

/** RAM on a file system that has no page left for it when a device comes to one that nobody has touched before. */
class FullFileSystemTest {

    @Test
    @DisplayName("A tmpfs that is full: the device needs a reset, and works when there is room")
    void shouldNeedAResetWhenThereIsNoRoomForAPage(@TempDir Path folder) throws IOException, InterruptedException {
        Path small = Files.createDirectory(folder.resolve("small"));
        String refusal = run("mount", "-t", "tmpfs", "-o", "size=64k", "none", small.toString());
        Assumptions.assumeTrue(refusal.isEmpty(), () -> "a tmpfs cannot be mounted here: " + refusal);
        try (CutDisk disk = CutDisk.of(folder, small, TransportKind.MMIO, CutDisk.Kind.WORKERS)) {
            disk.start(false, true);
            disk.loadRead();
            disk.fire();
            Parked.until(() -> !disk.failure().isEmpty());
            assertTrue(disk.failure().contains("guest memory was cut short"), disk.failure());
            assertEquals(StartResult.OK, disk.driver.reset());
            assertEquals("", run("mount", "-o", "remount,size=16m", small.toString()));
            disk.start(false, true);
            disk.verify(new Random(1));
        } finally {
            assertEquals("", run("umount", small.toString()));
        }
    }

    /** What it said if it failed, else nothing. */
    private static String run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return process.waitFor() == 0 ? "" : List.of(command) + ": " + said;
    }
}
