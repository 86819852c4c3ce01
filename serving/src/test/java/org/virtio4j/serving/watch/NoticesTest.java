// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving.watch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

/** What is told at once, and what is joined, by a clock that the test turns. */
class NoticesTest {

    private static final long SECOND = 1_000_000_000;

    private long now = -5;
    private final Notices notices = new Notices(() -> now);

    @Test
    void shouldTellTheFirstOfAKindAtOnceAndOnce() {
        assertEquals(List.of(), notices.due());
        notices.tell("disk: stands still", "queue 0");
        notices.tell("rng: stands still", "queue 1");
        assertEquals(List.of("disk: stands still: queue 0", "rng: stands still: queue 1"), notices.due());
        assertEquals(List.of(), notices.due());
    }

    @Test
    void shouldJoinWhatComesWithinASecond() {
        notices.tell("disk", "first");
        assertEquals(List.of("disk: first"), notices.due());
        for (int i = 0; i < 1235; i++) {
            notices.tell("disk", "round " + i);
        }
        now += SECOND - 1;
        assertEquals(List.of(), notices.due());
        now++;
        assertEquals(List.of("disk: round 1234 … 1,234 more"), notices.due());
        now += 10 * SECOND;
        assertEquals(List.of(), notices.due());
    }

    @Test
    void shouldNotHoldBackOneKindBecauseOfAnother() {
        notices.tell("disk", "first");
        assertEquals(List.of("disk: first"), notices.due());
        notices.tell("disk", "second");
        notices.tell("rng", "first");
        assertEquals(List.of("rng: first"), notices.due());
    }

    @Test
    void shouldComeMoreAndMoreSeldomWhileItGoesOn() {
        int lines = 0;
        for (int tenths = 0; tenths < 36_000; tenths++) {
            notices.tell("disk", "again");
            lines += notices.due().size();
            now += SECOND / 10;
        }
        // 0, 1, 3, 7, 15, 31, 63 and 127 s, and from then on every 64 s of the hour.
        assertEquals(8 + (3600 - 128) / 64, lines);
    }

    @Test
    void shouldBePromptAgainAfterPeace() {
        for (int i = 0; i < 100; i++) {
            notices.tell("disk", "again");
            assertEquals(1, notices.due().size());
            now += 64 * SECOND;
        }
        now += 64 * SECOND;
        notices.tell("disk", "anew");
        assertEquals(List.of("disk: anew"), notices.due());
        notices.tell("disk", "soon after");
        now += SECOND;
        assertEquals(List.of("disk: soon after"), notices.due());
    }

    @Test
    void shouldTellAllThatIsLeftAtTheEnd() {
        notices.tell("disk", "first");
        assertEquals(1, notices.due().size());
        notices.tell("disk", "second", 3);
        assertEquals(List.of("disk: second … 2 more"), notices.rest());
        assertEquals(List.of(), notices.rest());
    }

    @Test
    void shouldCountWhatSeveralThreadsTell() throws InterruptedException {
        Thread[] threads = new Thread[4];
        for (int i = 0; i < threads.length; i++) {
            threads[i] = Thread.ofPlatform().start(() -> {
                for (int round = 0; round < 1000; round++) {
                    notices.tell("disk", "round");
                }
            });
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertTrue(notices.rest().getFirst().endsWith(" … 3,999 more"));
    }
}
