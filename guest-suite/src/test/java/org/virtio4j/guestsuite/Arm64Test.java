// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.virtio4j.harness.options.GuestOptions.Translation;
import org.virtio4j.harness.options.Interrupts;
import org.virtio4j.harness.options.NotFetchedException;
import org.virtio4j.harness.options.Platform;
import org.virtio4j.harness.options.UnusableGuestException;
import org.virtio4j.iommu.embedder.IommuCounters;
import org.virtio4j.wire.iommu.RequestType;

/** Linux on arm64, whose pages are four of the IOMMU's, and which learns of its devices from a tree. */
@GuestScenario
class Arm64Test {

    @RegisterExtension
    private final GuestBooter guest = new GuestBooter();

    @Test
    void shouldTranslateForPagesOf16KiB() throws IOException, NotFetchedException, UnusableGuestException {
        TwoDisks.Maker maker = new TwoDisks.Maker();
        Booted booted = guest.bootArm64(Interrupts.GICV2M, Platform.LARGE_PAGES, Translation.STRICT, maker);
        booted.assertDone();
        assertEquals("16", booted.fact("page-kibibytes"));
        for (String function : List.of("0000:00:09.0", "0000:00:0a.0")) {
            assertEquals("DMA", booted.group(function, "type"));
            assertEquals("0x0000000008020000 0x0000000008020fff msi", booted.group(function, "reserved"));
        }
        assertEquals(List.of(), booted.faults());
        maker.devices().assertServed(booted);
        IommuCounters counters = maker.devices().counters();
        assertEquals(2, counters.requests(RequestType.ATTACH));
        assertTrue(counters.requests(RequestType.UNMAP) > 0, "UNMAP");
    }
}
