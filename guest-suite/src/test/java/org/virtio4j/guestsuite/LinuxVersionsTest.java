// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.virtio4j.harness.OtherKernel;
import org.virtio4j.harness.options.NotFetchedException;
import org.virtio4j.harness.options.UnusableGuestException;
import org.virtio4j.harness.options.Workload;
import org.virtio4j.iommu.embedder.IommuCounters;
import org.virtio4j.wire.iommu.RequestType;

/** Kernels of other ages write to the disk behind the IOMMU and to the disk beside it, and read what they wrote. */
@GuestScenario
class LinuxVersionsTest {

    @RegisterExtension
    private final GuestBooter guest = new GuestBooter();

    /** The IOMMU lets its endpoints through as long as no driver tells it not to. */
    @Test
    void shouldServeLinux510WithoutDriverForTheIommu() throws IOException, NotFetchedException, UnusableGuestException {
        assertEquals(0, served(OtherKernel.LINUX_5_10, "5.10.").requests(RequestType.ATTACH));
    }

    @Test
    @FullSuite
    void shouldServeLinux61WithoutDriverForTheIommu() throws IOException, NotFetchedException, UnusableGuestException {
        assertEquals(0, served(OtherKernel.LINUX_6_1, "6.1.").requests(RequestType.ATTACH));
    }

    @Test
    void shouldServeTheNewestLinux() throws IOException, NotFetchedException, UnusableGuestException {
        IommuCounters counters = served(OtherKernel.NEWEST, "");
        assertEquals(2, counters.requests(RequestType.ATTACH));
        assertTrue(counters.requests(RequestType.MAP) > 0, "MAP");
    }

    private IommuCounters served(OtherKernel kernel, String version)
            throws IOException, NotFetchedException, UnusableGuestException {
        TwoDisks.Maker maker = new TwoDisks.Maker();
        Booted booted = guest.boot(Workload.DISKS, kernel, maker);
        booted.assertDone();
        assertTrue(booted.fact("kernel").startsWith(version), booted.fact("kernel"));
        assertEquals(List.of(), booted.faults());
        maker.devices().assertServed(booted);
        return maker.devices().counters();
    }
}
