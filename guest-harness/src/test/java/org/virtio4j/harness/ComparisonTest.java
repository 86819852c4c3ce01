// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.virtio4j.harness.Comparison.Transfer;
import org.virtio4j.harness.console.ConsoleLine;

/** Medians of what guests said, and their ratio. */
class ComparisonTest {

    @Test
    void shouldTakeTheMiddleOfThree() {
        Comparison comparison = new Comparison(wrote(100, 900, 120), wrote(60, 30, 20));
        assertEquals(1.2, comparison.ourSeconds(Transfer.WRITE));
        assertEquals(0.3, comparison.qemuSeconds(Transfer.WRITE));
        assertEquals(0.25, comparison.ratio(Transfer.WRITE));
    }

    @Test
    void shouldTakeTheMeanOfTwo() {
        assertEquals(1.5, new Comparison(wrote(100, 200), wrote(60)).ourSeconds(Transfer.WRITE));
    }

    @Test
    void shouldNotDivideByNothing() {
        assertEquals(0.5, new Comparison(wrote(2), wrote(0)).ratio(Transfer.WRITE));
    }

    @Test
    void shouldKnowWhenAGuestHasFailed() {
        assertTrue(new Comparison(wrote(1), List.of()).complete());
        GuestResult failed = new GuestResult("11.1", new GuestFacts(), Duration.ZERO, Duration.ZERO, List.of(),
                Optional.of("it hangs"));
        assertFalse(new Comparison(wrote(1), List.of(failed)).complete());
    }

    private static List<GuestResult> wrote(int... centiseconds) {
        return Arrays.stream(centiseconds).mapToObj(ComparisonTest::result).toList();
    }

    private static GuestResult result(int centiseconds) {
        GuestFacts facts = new GuestFacts();
        facts.add(new ConsoleLine.Fact("verify/write-centiseconds", Integer.toString(centiseconds)));
        return new GuestResult("11.1", facts, Duration.ZERO, Duration.ZERO, List.of(), Optional.empty());
    }
}
