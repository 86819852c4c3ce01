// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.virtio4j.guestsuite.GuestBooter.Memory;
import org.virtio4j.harness.options.GuestOptions.Translation;
import org.virtio4j.harness.options.NotFetchedException;
import org.virtio4j.harness.options.UnusableGuestException;
import org.virtio4j.harness.options.Workload;

/** Disk and entropy source are taken from their drivers and given back, again and again. */
@GuestScenario
class RebindTest {

    @RegisterExtension
    private final GuestBooter guest = new GuestBooter();

    @Test
    void shouldServeEachDriverLikeTheFirst() throws IOException, NotFetchedException, UnusableGuestException {
        SuiteDevices.Maker maker = new SuiteDevices.Maker(Wiring.DEFAULT);
        Booted booted = guest.boot(Workload.REBIND, 2, Translation.LAZY, Memory.DESCRIPTOR, maker);
        booted.assertDone();
        assertEquals("30", booted.fact("rebind/rounds"));
        assertEquals(List.of(), booted.faults());
        assertTrue(maker.devices().disk().counters().bytesRead() >= 30 * 65_536);
        maker.devices().assertNothingLeft();
    }
}
