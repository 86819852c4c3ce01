// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness.console;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class LineSplitterTest {

    private final List<String> lines = new ArrayList<>();
    private final LineSplitter cutter = new LineSplitter(lines::add);

    @Test
    void shouldCutWhereLinesEndHoweverTheyArrive() {
        take("one\r\ntw");
        take("o\n\nrest");
        assertEquals(List.of("one", "two", ""), lines);
        cutter.finish();
        assertEquals(List.of("one", "two", "", "rest"), lines);
    }

    @Test
    void shouldLeaveOutWhatControlsTerminals() {
        take("\033[2J\007a\tb\177\n");
        assertEquals(List.of("[2Ja\tb"), lines);
    }

    @Test
    void shouldCutLinesThatDoNotEnd() {
        take("x".repeat(LineSplitter.LONGEST + 1) + "\n");
        assertEquals(List.of("x".repeat(LineSplitter.LONGEST), "x"), lines);
    }

    @Test
    void shouldKeepWhatIsNotAscii() {
        take("größer\n");
        assertEquals(List.of("größer"), lines);
    }

    private void take(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        cutter.take(bytes, bytes.length);
    }
}
