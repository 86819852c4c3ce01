// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.replay.play;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import org.junit.jupiter.api.Test;
import org.virtio4j.replay.result.TraceResult;

class MismatchesTest {

    @Test
    void shouldPauseTheMeterWhenAMismatchIsPutIntoWords() {
        PlayingMeter meter = PlayingMeter.calibrated();
        Mismatches mismatches = new Mismatches("trace", meter);
        boolean again = false;
        meter.resume();
        for (int line = 1; line <= 20; line++) {
            if (mismatches.begin(line)) {
                mismatches.end("event " + line, "one", "another");
            }
            again |= mismatches.begin(line);
        }
        meter.pause();
        assertFalse(again, "a line counts once");
        assertEquals(20, mismatches.count());
        assertEquals(TraceResult.MOST_MISMATCHES, mismatches.first().size());
        assertEquals(0, meter.bytes());
    }
}
