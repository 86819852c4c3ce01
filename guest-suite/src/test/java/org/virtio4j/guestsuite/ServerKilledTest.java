// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.virtio4j.guestsuite.GuestBooter.Memory;
import org.virtio4j.harness.options.GuestOptions.Translation;
import org.virtio4j.harness.options.NotFetchedException;
import org.virtio4j.harness.options.UnusableGuestException;
import org.virtio4j.harness.options.Workload;

/** The process that serves the devices is killed in mid-write, as by kill -9, and another takes its place. */
@GuestScenario
class ServerKilledTest {

    private static final String IN_MID_WRITE = "virtio4j: step writing it once more";

    @RegisterExtension
    private final GuestBooter guest = new GuestBooter();

    @TempDir
    private Path folder;

    @Test
    void shouldKeepTheDisk() throws IOException, NotFetchedException, UnusableGuestException {
        ServerProcess server = new ServerProcess(folder);
        guest.when(IN_MID_WRITE, () -> {
            server.kill();
            guest.end();
        });
        Booted first = guest.boot(Workload.RESET, 2, Translation.LAZY, Memory.DESCRIPTOR, server);
        assertTrue(first.lines().stream().anyMatch(line -> line.contains(IN_MID_WRITE)), "it never came to that");
        // Without its devices QEMU aborts, or waits for their answer for good, which end() is for.
        String trouble = first.result().trouble().orElse("none");
        assertTrue(List.of("QEMU has ended with an error", "interrupted").contains(trouble), trouble);

        Booted second = guest.boot(Workload.RESET, 2, Translation.LAZY, Memory.DESCRIPTOR, server);
        second.assertDone();
        assertEquals(32, second.fact("reset/written").length());
        assertEquals(second.fact("reset/written"), second.fact("reset/found"));
    }
}
