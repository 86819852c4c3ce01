// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Requests allocate nothing on the heap once everything has run before. */
class BlockAllocationTest extends BlockTests {

    @Test
    @DisplayName("0 bytes for each type of request, and for one that is refused")
    void shouldAllocateNothing() throws IOException {
        assertEquals("0", BlockAllocationProbe.measure(kind, path(), 50));
    }

    @Test
    @DisplayName("0 bytes for each type of request where no compiler helps, -Xint")
    void shouldAllocateNothingWhenInterpreted() throws IOException, InterruptedException {
        String classPath = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        Process child = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xint",
                "--enable-native-access=ALL-UNNAMED", "-cp", classPath, BlockAllocationProbe.class.getName(),
                kind.name(), path().toString()).redirectErrorStream(true).start();
        String output = new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals("0 exit 0", output.strip() + " exit " + child.waitFor());
    }
}
