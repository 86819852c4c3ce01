// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.concurrency;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A minute of a driver and a device at random; {@code -Dvirtio4j.longRun=SECONDS} makes it shorter or longer. */
class LongRunTest {

    @TempDir
    private Path folder;

    @Test
    void shouldShowTheDeviceNothingThatWasTakenAway() throws Exception {
        ChildJvm.Result result = ChildJvm.run("", folder, List.of(LongRun.class.getName(),
                System.getProperty("virtio4j.longRun", "60"),
                System.getProperty("virtio4j.seed", Long.toString(System.nanoTime()))));
        System.out.print(result.output());
        assertEquals(0, result.status(), result.output());
    }
}
