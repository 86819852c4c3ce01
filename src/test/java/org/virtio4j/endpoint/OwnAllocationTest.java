// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A device of an embedder's own allocates nothing for a chain once everything has run before. */
class OwnAllocationTest {

    @ParameterizedTest
    @EnumSource
    @DisplayName("0 bytes for chains that are answered at once, and for chains that are kept")
    void shouldAllocateNothing(GuestKind kind) {
        assertEquals("0", OwnAllocationProbe.measure(kind, 50));
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("0 bytes where no compiler helps, -Xint")
    void shouldAllocateNothingWhenInterpreted(GuestKind kind) throws IOException, InterruptedException {
        String classPath = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        Process child = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xint",
                "--enable-native-access=ALL-UNNAMED", "-cp", classPath, OwnAllocationProbe.class.getName(),
                kind.name()).redirectErrorStream(true).start();
        String output = new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals("0 exit 0", output.strip() + " exit " + child.waitFor());
    }
}
