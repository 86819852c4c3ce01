// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.virtio4j.benchmarks.peers.BuildTool.MissingException;

class BuildToolTest {

    @Test
    void shouldSayInOneLineThatAToolIsMissing() {
        assertEquals("no no-such-compiler found", complaint("no-such-compiler"));
    }

    @Test
    void shouldPassOnTheFirstLineOfAComplaint() {
        assertEquals("sh: no glib here", complaint("sh", "-c", "echo no glib here; echo more; exit 1"));
        assertEquals("sh: failed without a word", complaint("sh", "-c", "exit 1"));
    }

    @Test
    void shouldGiveWhatAToolPrints() throws MissingException, InterruptedException {
        assertEquals("flags\n", BuildTool.run(List.of("sh", "-c", "echo flags")));
    }

    private static @Nullable String complaint(String... command) {
        return assertThrows(MissingException.class, () -> BuildTool.run(List.of(command))).getMessage();
    }
}
