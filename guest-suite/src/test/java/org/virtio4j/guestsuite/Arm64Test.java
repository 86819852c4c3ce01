// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.virtio4j.harness.options.Architecture;
import org.virtio4j.harness.options.GuestOptions.Translation;
import org.virtio4j.harness.options.Interrupts;
import org.virtio4j.harness.options.NotFetchedException;
import org.virtio4j.harness.options.Platform;
import org.virtio4j.harness.options.UnusableGuestException;
import org.virtio4j.harness.options.Workload;
import org.virtio4j.iommu.embedder.IommuCounters;
import org.virtio4j.wire.iommu.RequestType;

/** Linux on arm64, which learns from a device tree which functions are behind the IOMMU. */
@GuestScenario
class Arm64Test {

    private static final Platform ARM64 = Platform.of(Architecture.ARM64);
    private static final String ITS_DOORBELL = "0x0000000008090000 0x0000000008090fff msi";
    private static final String GICV2M_DOORBELL = "0x0000000008020000 0x0000000008020fff msi";

    @RegisterExtension
    private final GuestBooter guest = new GuestBooter();

    /** As {@code virtio4j guest --arch arm64} does it: 64 MiB written and read back, twice. */
    @Test
    void shouldVerifyWithInterruptsThroughTheIts() throws IOException, NotFetchedException, UnusableGuestException {
        Booted booted = guest.bootAsShipped(ARM64, 1, Workload.VERIFY, Translation.LAZY, false);
        booted.assertDone();
        assertEquals("4", booted.fact("page-kibibytes"));
        assertEquals(booted.fact("verify/written"), booted.fact("verify/cached"));
        assertGroups(booted, "DMA-FQ", ITS_DOORBELL);
        assertInterrupted(booted, "ITS-PCI-MSIX");
        assertTrue(booted.result().devices().contains("left over: 0 mappings, 0 domains"),
                booted.result().devices().toString());
    }

    /** Each page is four of the IOMMU's. */
    @Test
    @FullSuite
    void shouldTranslateForPagesOf16KiB() throws IOException, NotFetchedException, UnusableGuestException {
        Booted booted = bootWithTwoDisks(ARM64.withInterrupts(Interrupts.GICV2M).withPages(Platform.LARGE_PAGES));
        assertEquals("16", booted.fact("page-kibibytes"));
        assertGroups(booted, "DMA", GICV2M_DOORBELL);
        assertInterrupted(booted, "GICv2m-PCI-MSIX");
    }

    @Test
    @FullSuite
    void shouldTranslateForTwoProcessors() throws IOException, NotFetchedException, UnusableGuestException {
        Booted booted = bootWithTwoDisks(ARM64);
        assertEquals("4", booted.fact("page-kibibytes"));
        assertEquals("2", booted.fact("processors"));
        assertGroups(booted, "DMA", ITS_DOORBELL);
        assertInterrupted(booted, "ITS-PCI-MSIX");
    }

    @Test
    @FullSuite
    void shouldBeResetWhileItWrites() throws IOException, NotFetchedException, UnusableGuestException {
        guest.bootAsShipped(ARM64, 1, Workload.RESET, Translation.STRICT, false).assertDone();
    }

    @Test
    @FullSuite
    void shouldHearOfStrayDma() throws IOException, NotFetchedException, UnusableGuestException {
        Booted booted = guest.bootAsShipped(ARM64, 1, Workload.FAULT, Translation.LAZY, false);
        booted.assertDone();
        assertEquals(List.of("page fault from EP 72 at 0xdead000 [W]"), booted.faults());
    }

    /** The programs of arm64 are its own, and so are the numbers of its system calls. */
    @Test
    @FullSuite
    void shouldGiveDeviceToProgram() throws IOException, NotFetchedException, UnusableGuestException {
        Booted booted = guest.bootAsShipped(ARM64, 1, Workload.VFIO, Translation.LAZY, false);
        booted.assertDone();
        assertEquals("2", booted.fact("vfio/faults"));
        assertEquals("unchanged", booted.fact("vfio/unmapped"));
    }

    /** What fails there too is the way a guest is run. QEMU reserves more than the ITS's first page. */
    @Test
    @FullSuite
    void shouldFindQemusOwnDevices() throws IOException, NotFetchedException, UnusableGuestException {
        Booted booted = guest.bootAsShipped(ARM64, 1, Workload.BOOT, Translation.STRICT, true);
        booted.assertDone();
        assertGroups(booted, "DMA", "0x0000000008090000 0x000000000809ffff msi");
    }

    private Booted bootWithTwoDisks(Platform platform)
            throws IOException, NotFetchedException, UnusableGuestException {
        TwoDisks.Maker maker = new TwoDisks.Maker();
        Booted booted = guest.bootDisks(platform, Translation.STRICT, maker);
        booted.assertDone();
        assertEquals(List.of(), booted.faults());
        maker.devices().assertServed(booted);
        IommuCounters counters = maker.devices().counters();
        assertEquals(2, counters.requests(RequestType.ATTACH));
        // What is mapped when the machine is switched off stays: rings, and buffers that wait for the entropy source.
        long more = counters.requests(RequestType.MAP) - counters.requests(RequestType.UNMAP);
        assertTrue(0 <= more && more <= 8, counters.requests(RequestType.MAP) + " MAP, "
                + counters.requests(RequestType.UNMAP) + " UNMAP");
        return booted;
    }

    private static void assertGroups(Booted booted, String type, String reserved) {
        for (String function : List.of("0000:00:09.0", "0000:00:0a.0")) {
            assertEquals(type, booted.group(function, "type"));
            assertEquals(reserved, booted.group(function, "reserved"));
        }
    }

    private static void assertInterrupted(Booted booted, String way) {
        for (String function : List.of("0000:00:09.0", "0000:00:0a.0")) {
            String told = booted.fact("interrupts/" + function);
            assertTrue(told.matches(way + " [1-9]\\d*"), function + ": " + told);
        }
    }
}
