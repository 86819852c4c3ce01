// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.virtio4j.command.Interruption;
import org.virtio4j.replay.input.ReplayObserver.Phase;
import org.virtio4j.replay.input.TraceFile;

class ProgressLineTest {

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final PrintStream err = new PrintStream(bytes, true, StandardCharsets.UTF_8);

    @Test
    void shouldShowNothingWhenNobodyIsWatching() {
        ProgressLine progress = new ProgressLine(err, 0, () -> false, new Interruption());
        assertTrue(progress.goOn(Phase.PLAYING, TraceFile.SHIPPED, 1, 2));
        progress.clear();
        assertEquals("", text());
    }

    @Test
    void shouldRewriteOneLineAndEraseItWhenSomebodyIsWatching() {
        ProgressLine progress = new ProgressLine(err, 0, () -> true, new Interruption());
        progress.goOn(Phase.READING, TraceFile.SHIPPED, 65_536, 0);
        progress.goOn(Phase.WARMING_UP, TraceFile.SHIPPED, 1, 2);
        progress.goOn(Phase.PLAYING, TraceFile.SHIPPED, 1_000, 4_000);
        progress.clear();
        progress.clear();
        assertEquals("<boot-k612.gz: reading, 65,536 events<boot-k612.gz: warming up"
                + "<boot-k612.gz: 1,000 of 4,000 events, 25 %<", text());
    }

    @Test
    void shouldShowNothingWhenTheLastUpdateWasJustNow() {
        ProgressLine progress = new ProgressLine(err, Long.MAX_VALUE, () -> true, new Interruption());
        progress.goOn(Phase.PLAYING, TraceFile.SHIPPED, 1, 2);
        assertEquals("", text());
    }

    @Test
    void shouldEndTheReplayWhenTheUserWantsIt() {
        Interruption interruption = new Interruption();
        interruption.request();
        assertFalse(new ProgressLine(err, 0, () -> false, interruption).goOn(Phase.PLAYING, TraceFile.SHIPPED, 1, 2));
    }

    private String text() {
        return bytes.toString(StandardCharsets.UTF_8).replace("\r\033[K", "<");
    }
}
