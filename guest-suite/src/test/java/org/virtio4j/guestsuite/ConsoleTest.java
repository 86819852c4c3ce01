// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.virtio4j.harness.options.GuestOptions.Translation;
import org.virtio4j.harness.options.NotFetchedException;
import org.virtio4j.harness.options.UnusableGuestException;
import org.virtio4j.harness.options.Workload;

/** A console behind the IOMMU, as Linux's hvc0. */
@GuestScenario
class ConsoleTest {

    private static final String FUNCTION = "0000:00:0b.0";

    @RegisterExtension
    private final GuestBooter guest = new GuestBooter();

    @ParameterizedTest
    @EnumSource(names = {"LAZY", "STRICT"})
    @DisplayName("5.3: 1 MiB each way, a resize, ten drivers unbound in mid-read, a reset in mid-write, 1 MiB each way")
    void shouldBeLinuxsConsole(Translation translation)
            throws IOException, NotFetchedException, UnusableGuestException {
        Booted booted = guest.bootAsShipped(Workload.CONSOLE, translation, false);
        for (int more = 2; more > 0 && linuxHasCrashed(booted); more--) {
            booted = guest.bootAsShipped(Workload.CONSOLE, translation, false);
        }
        booted.assertDone();
        assertEquals("50 132", booted.fact("console/size"));
        assertEquals("10", booted.fact("console/rounds"));
        assertEquals(List.of(), booted.faults());
        assertEquals(translation.groupType(), booted.group(FUNCTION, "type"));
        booted.assertFeatures(FUNCTION, 0, 32, 33);
    }

    /**
     * Linux 6.12 frees a console with work of its input in a queue (hvc_console.c), and makes the next one in the same
     * memory. It then finds a broken list when a driver was unbound in mid-read; seen once in some thirty boots.
     */
    private static boolean linuxHasCrashed(Booted booted) {
        return booted.result().trouble().filter(trouble -> trouble.contains("Linux has crashed")).isPresent()
                && booted.lines().stream().anyMatch(line -> line.contains("list_add corruption"))
                && booted.lines().stream().anyMatch(line -> line.contains("Comm: khvcd"));
    }
}
