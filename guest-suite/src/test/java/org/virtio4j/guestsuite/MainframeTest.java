// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.virtio4j.harness.options.NotFetchedException;
import org.virtio4j.harness.options.UnusableGuestException;

/**
 * Linux on a mainframe with its own defaults: its bytes are in the other order, and each page that it maps for a device
 * becomes a window of memory of its own, which it takes back late.
 */
@GuestScenario
class MainframeTest {

    @RegisterExtension
    private final GuestBooter guest = new GuestBooter();

    /** What is written and read twice is 36,864 pages. */
    @Test
    void shouldMapEachPageThatIsWrittenAndRead() throws IOException, NotFetchedException, UnusableGuestException {
        MainframeDevices.Maker maker = new MainframeDevices.Maker(48);
        Booted booted = guest.bootS390x(maker);
        booted.assertDone();
        assertTrue(booted.fact("kernel").endsWith("-s390x"), booted.fact("kernel"));
        maker.devices().assertWritten(booted);
    }
}
