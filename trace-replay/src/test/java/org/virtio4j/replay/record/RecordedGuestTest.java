// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.replay.record;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.virtio4j.replay.Replay;
import org.virtio4j.replay.input.ReplayTransport;
import org.virtio4j.replay.input.TraceFile;
import org.virtio4j.replay.result.TraceResult;
import org.virtio4j.trace.EventKind;

/**
 * Plays what {@code ./virtio4j guest --workload fault --strict --record FILE} recorded of Linux 6.12: whatever changes
 * here, a guest would notice.
 */
class RecordedGuestTest {

    @ParameterizedTest
    @EnumSource
    void shouldAnswerARecordedGuestAsBefore(ReplayTransport transport) throws Exception {
        Path trace = Path.of(Objects.requireNonNull(getClass().getResource("guest-fault.trace.gz")).toURI());
        Replay replay = Objects.requireNonNull(Replay.of(TraceFile.of(trace), (phase, which, done, total) -> true));
        TraceResult result = replay.play(transport, (phase, which, done, total) -> true);
        assertEquals(List.of(), result.firstMismatches());
        assertTrue(result.complete());
        assertEquals(316, result.count(EventKind.MAP));
        assertEquals(312, result.count(EventKind.UNMAP));
        assertEquals(1, result.translations(), "the stray DMA");
    }
}
