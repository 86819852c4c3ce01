// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Requests, translations and fault reports allocate nothing on the heap once everything has run before. */
class AllocationTest extends IommuTests {

    @Test
    @DisplayName("0 bytes per request and translation")
    void shouldAllocateNothing() {
        assertEquals("0", AllocationProbe.measure(transport, 200, false));
    }

    @Test
    @DisplayName("0 bytes per request that is announced to two mapping listeners")
    void shouldAllocateNothingWithMappingListeners() {
        assertEquals("0", AllocationProbe.measure(transport, 200, true));
    }

    @Test
    @DisplayName("0 bytes per request and translation where no compiler helps, -Xint")
    void shouldAllocateNothingWhenInterpreted() throws IOException, InterruptedException {
        String classPath = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        Process child = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xint",
                "--enable-native-access=ALL-UNNAMED",
                "-Dvirtio4j.table.checked=" + System.getProperty("virtio4j.table.checked", "false"),
                "-cp", classPath, AllocationProbe.class.getName(),
                transport.name()).redirectErrorStream(true).start();
        String output = new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals("0 0 exit 0", output.strip() + " exit " + child.waitFor());
    }
}
