// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.concurrency;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Runs every race with the product as it is. */
class RacesTest {

    private static final int MILLIS = 1000;

    @TempDir
    private Path folder;

    @ParameterizedTest
    @EnumSource
    void shouldSeeNothingForbiddenWhateverTheOrder(Races races) throws Exception {
        assumeTrue(Runtime.getRuntime().availableProcessors() > 1, "a race takes two processors");
        List<Races.Outcome> outcomes = races.run(".*", MILLIS, "", folder);
        outcomes.forEach(System.out::println);
        assertEquals(races.count(), outcomes.size(), () -> "races that were run: " + outcomes);
        assertTrue(outcomes.stream().allMatch(outcome -> outcome.passed() && outcome.samples() > 0));
    }
}
