// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.concurrency;

import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Do the races bite? Takes a fence or a wait out of the product and expects to see what it is there against. A race
 * that nobody loses today may be lost in the next second, so it gets several attempts before it counts as not caught.
 */
class DisabledFencesTest {

    private static final int MILLIS = 1000;
    private static final int ATTEMPTS = 15;

    @TempDir
    private Path folder;

    @ParameterizedTest
    @EnumSource
    void shouldBeCaught(Weakening weakening) throws Exception {
        assumeTrue(Runtime.getRuntime().availableProcessors() > 1, "a race takes two processors");
        String front = weakening.compile(folder);
        boolean caught = false;
        for (int attempt = 1; attempt <= ATTEMPTS && !caught; attempt++) {
            List<Races.Outcome> outcomes = weakening.races().run(weakening.race(), MILLIS, front, folder);
            System.out.println(weakening + ", attempt " + attempt + ": " + outcomes);
            caught = outcomes.stream().anyMatch(outcome -> outcome.forbidden() > 0);
        }
        assertTrue(caught);
    }

    @Test
    void shouldBeCaughtByALongRunWhenNobodyWaits() throws Exception {
        assumeTrue(Runtime.getRuntime().availableProcessors() > 1, "a race takes two processors");
        String front = Weakening.NO_GRACE_PERIOD.compile(folder);
        ChildJvm.Result result = ChildJvm.run(front, folder, List.of(LongRun.class.getName(), "60", "1"));
        System.out.print(result.output());
        assertNotEquals(0, result.status());
    }
}
