// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.virtio4j.guestsuite.GuestBooter.Memory;
import org.virtio4j.harness.options.GuestOptions.Translation;
import org.virtio4j.harness.options.NotFetchedException;
import org.virtio4j.harness.options.UnusableGuestException;
import org.virtio4j.harness.options.Workload;

/**
 * Linux gives the entropy source to a program, by VFIO. The device gets at what the program maps for it, in the way
 * that it is mapped, for as long as it is mapped. Before and after that, Linux has it suspended.
 */
@GuestScenario
class VfioTest {

    @RegisterExtension
    private final GuestBooter guest = new GuestBooter();

    @Test
    void shouldServeAProgramOfTheGuest() throws IOException, NotFetchedException, UnusableGuestException {
        SuiteDevices.Maker maker = new SuiteDevices.Maker(Wiring.DEFAULT);
        Booted booted = guest.boot(Workload.VFIO, 1, Translation.STRICT, Memory.DESCRIPTOR, maker);
        assertServed(booted, maker.devices());
    }

    /** The program finds its buffer written to, though it had allowed reading alone. */
    @Test
    void shouldFailWithoutPermissions() throws IOException, NotFetchedException, UnusableGuestException {
        SuiteDevices.Maker maker = new SuiteDevices.Maker(Wiring.DEFAULT.with(Mistake.NO_PERMISSIONS));
        Booted booted = guest.boot(Workload.VFIO, 1, Translation.STRICT, Memory.DESCRIPTOR, maker);
        assertThrows(AssertionError.class, () -> assertServed(booted, maker.devices()));
        assertEquals(Optional.of("the guest says: vfio.pl: mapped=" + mapped(booted)
                + " the device filled a buffer that it may only read"), booted.result().trouble());
    }

    private static void assertServed(Booted booted, SuiteDevices devices) {
        booted.assertDone();
        assertEquals(2 * 64, booted.fact("vfio/mapped").length());
        assertEquals("D3hot", booted.fact("power/0000:00:07.0/idle"));
        assertEquals("D3hot", booted.fact("power/0000:00:07.0/used"));
        assertEquals("unchanged", booted.fact("vfio/readonly"));
        assertEquals("unchanged", booted.fact("vfio/unmapped"));
        assertEquals(List.of("page fault from EP 56 at 0x110000 [W]", "page fault from EP 56 at 0x110000 [W]"),
                booted.faults());
        devices.assertNothingLeft();
    }

    private static String mapped(Booted booted) {
        return booted.result().trouble().orElse("").replaceAll(".*mapped=(\\w+).*", "$1");
    }
}
