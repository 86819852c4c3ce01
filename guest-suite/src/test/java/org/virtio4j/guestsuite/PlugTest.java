// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.virtio4j.harness.options.GuestOptions.Translation;
import org.virtio4j.harness.options.NotFetchedException;
import org.virtio4j.harness.options.UnusableGuestException;
import org.virtio4j.harness.options.Workload;

/** A disk behind the IOMMU that Linux gets and gives back while another one is at work. */
@GuestScenario
class PlugTest {

    @RegisterExtension
    private final GuestBooter guest = new GuestBooter();

    @Test
    @DisplayName("a disk is plugged and unplugged 20 times behind a root port while another disk works; every second "
            + "time it is being read when it goes")
    void shouldComeAndGoUnderLoad() throws IOException, NotFetchedException, UnusableGuestException {
        plugAndUnplug(20, Translation.LAZY);
    }

    @FullSuite
    @Test
    @DisplayName("the same 100 times, and Linux removes each mapping at once")
    void shouldComeAndGoOftenWithStrictTranslation() throws IOException, NotFetchedException, UnusableGuestException {
        plugAndUnplug(100, Translation.STRICT);
    }

    private void plugAndUnplug(int rounds, Translation translation)
            throws IOException, NotFetchedException, UnusableGuestException {
        PluggedDisk.Maker maker = new PluggedDisk.Maker(rounds);
        Booted booted = guest.boot(Workload.PLUG, 2, translation, GuestBooter.Memory.DESCRIPTOR, maker);
        booted.assertDone();
        assertEquals(Integer.toString(rounds), booted.fact("plug/rounds"));
        assertEquals(PluggedDisk.FUNCTION, booted.fact("plug/function"));
        assertEquals("virtio_blk", booted.fact("plug/driver"));
        assertEquals(translation.groupType(), booted.fact("plug/group-type"));
        assertTrue(Integer.parseInt(booted.fact("plug/passes")) >= rounds, booted.fact("plug/passes"));
        assertEquals(List.of(), booted.faults());
        maker.devices().assertNothingLeft();
    }
}
